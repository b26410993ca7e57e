// api: the usual operator in Go: Nomad's own client, its event stream, whole jobs decoded, and for a job that wants no
// backup the backup is deregistered, whether there is one or not.
package main

import (
	"context"
	"log"
	"strings"

	"github.com/hashicorp/nomad/api"

	"bench/peers/backup"
)

func handle(client *api.Client, event *api.Event) error {
	if event.Type != "JobRegistered" && event.Type != "JobDeregistered" {
		return nil
	}
	job, err := event.Job()
	if err != nil || job == nil {
		return err
	}
	id := *job.ID
	if strings.HasPrefix(id, "backup-") || job.ParentID != nil && *job.ParentID != "" {
		return nil
	}
	gone := event.Type == "JobDeregistered" || job.Stop != nil && *job.Stop
	if gone || !backup.Wanted(job.Meta) {
		_, _, err = client.Jobs().Deregister("backup-"+id, false, nil)
		return err
	}
	made, err := backup.Job(id, *job.Namespace, job.Meta)
	if err != nil {
		return err
	}
	_, _, err = client.Jobs().Register(made, nil)
	return err
}

func main() {
	client, err := api.NewClient(api.DefaultConfig())
	if err != nil {
		log.Fatal(err)
	}
	topics := map[api.Topic][]string{api.TopicJob: {"*"}}
	stream, err := client.EventStream().Stream(context.Background(), topics, 0, nil)
	if err != nil {
		log.Fatal(err)
	}
	for events := range stream {
		if events.Err != nil {
			log.Fatal(events.Err)
		}
		for i := range events.Events {
			if events.Events[i].Topic != api.TopicJob {
				continue
			}
			if err := handle(client, &events.Events[i]); err != nil {
				log.Print(err)
			}
		}
	}
}

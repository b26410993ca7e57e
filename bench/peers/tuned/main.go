// tuned: the Go operator of somebody who has measured: its own loop over the lines, only the fields that are needed, one
// connection that is kept, no gzip.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"os"

	"bench/peers/backup"
)

type job struct {
	ID, Namespace, ParentID string
	Stop                    bool
	Meta                    map[string]string
}

type frame struct {
	Events []struct {
		Topic, Type string
		Payload     struct{ Job *job }
	}
}

var (
	address = os.Getenv("NOMAD_ADDR")
	client  = &http.Client{Transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 4}}
	made    = map[string]bool{}
)

func call(method, path string, body []byte) error {
	request, err := http.NewRequest(method, address+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(answer.Body)
	if answer.StatusCode != 200 {
		return fmt.Errorf("%s %s: %s: %s", method, path, answer.Status, text)
	}
	return nil
}

func handle(kind string, j *job) error {
	if j == nil || j.ParentID != "" {
		return nil
	}
	if kind == "JobDeregistered" || j.Stop || !backup.Wanted(j.Meta) {
		if !made[j.ID] {
			return nil
		}
		delete(made, j.ID)
		return call("DELETE", "/v1/job/backup-"+url.PathEscape(j.ID), nil)
	}
	wanted, err := backup.Job(j.ID, j.Namespace, j.Meta)
	if err != nil {
		return err
	}
	body, err := json.Marshal(map[string]any{"Job": wanted})
	if err != nil {
		return err
	}
	made[j.ID] = true
	return call("POST", "/v1/jobs", body)
}

func line(text []byte) error {
	var f frame
	if err := json.Unmarshal(text, &f); err != nil {
		return err
	}
	for i := range f.Events {
		e := &f.Events[i]
		if e.Topic != "Job" || e.Type != "JobRegistered" && e.Type != "JobDeregistered" {
			continue
		}
		if err := handle(e.Type, e.Payload.Job); err != nil {
			log.Print(err)
		}
	}
	return nil
}

func main() {
	answer, err := client.Get(address + "/v1/event/stream?topic=Job&namespace=*")
	if err != nil {
		log.Fatal(err)
	}
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(make([]byte, 1<<20), 64<<20)
	for lines.Scan() {
		if err := line(lines.Bytes()); err != nil {
			log.Print(err)
		}
	}
}

// Package backup makes the backup job of a job as Go operators do: text/template, then the parser of job files.
package backup

import (
	_ "embed"
	"strings"
	"text/template"

	"github.com/hashicorp/nomad/api"
	"github.com/hashicorp/nomad/jobspec2"
)

//go:embed backup.nomad.hcl
var source string

var parsed = template.Must(template.New("backup").Delims("[[", "]]").Parse(source))

// Values are the template's placeholders.
type Values struct {
	JobID, SourceJobID, Namespace, Schedule, TargetDB string
}

// Job is the backup job of a job with this ID, namespace and meta.
func Job(id, namespace string, meta map[string]string) (*api.Job, error) {
	v := Values{"backup-" + id, id, namespace, "@daily", id}
	if s := meta["backup-schedule"]; s != "" {
		v.Schedule = s
	}
	if s := meta["backup-target-db"]; s != "" {
		v.TargetDB = s
	}
	var hcl strings.Builder
	if err := parsed.Execute(&hcl, v); err != nil {
		return nil, err
	}
	return jobspec2.Parse("backup.nomad.hcl", strings.NewReader(hcl.String()))
}

// Wanted says whether the job's meta asks for a backup.
func Wanted(meta map[string]string) bool {
	return meta["auto-backup"] == "true"
}

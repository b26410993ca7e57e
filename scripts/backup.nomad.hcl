# The backup job of one source job: what backup.lua makes for each job whose meta says auto-backup = "true".
# An ordinary Nomad job file with placeholders in double square brackets. They are filled in for each source job:
#
#   .JobID         the ID of this backup job, "backup-<id>"
#   .SourceJobID   the ID of the job to back up
#   .Namespace     the namespace of both
#   .Schedule      the source's meta backup-schedule
#   .TargetDB      the source's meta backup-target-db
#
# Datacenters and node pool are the source's own, whatever stands here. Nomad's own {{ }} and ${ } stay as they are.

job "[[ .JobID ]]" {
  namespace   = "[[ .Namespace ]]"
  type        = "batch"
  datacenters = ["dc1"]

  periodic {
    cron             = "[[ .Schedule ]]"
    prohibit_overlap = true
  }

  group "backup" {
    task "backup" {
      # raw_exec runs on the bare machine and must be enabled there; with Docker, write driver = "docker" and an image
      # that has your database's tools: config { image = "postgres:17", command = "/bin/sh", args = … }.
      driver = "raw_exec"

      # The values reach the script as environment variables, so that a quote in a value stays a quote.
      env {
        SOURCE_JOB_ID = "[[ .SourceJobID ]]"
        SOURCE_NS     = "[[ .Namespace ]]"
        TARGET_DB     = "[[ .TargetDB ]]"
      }

      # Replace the last line by what makes your backup, for example:
      #   pg_dump --format=custom --file="/backups/$TARGET_DB.dump" "$TARGET_DB"
      config {
        command = "/bin/sh"
        args = ["-c", <<-EOT
          set -eu
          echo "Backing up database $TARGET_DB of job $SOURCE_JOB_ID in namespace $SOURCE_NS"
        EOT
        ]
      }

      resources {
        cpu    = 100
        memory = 64
      }
    }
  }
}

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
      driver = "raw_exec"

      env {
        SOURCE_JOB_ID = "[[ .SourceJobID ]]"
        SOURCE_NS     = "[[ .Namespace ]]"
        TARGET_DB     = "[[ .TargetDB ]]"
      }

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

# Runs the operator under Nomad (1.9.6 or newer), with a policy that is kept in a Nomad variable:
#
#   nomad var put nomad/jobs/nomad-operator policy=@scripts/backup.lua template=@scripts/backup.nomad.hcl
#   nomad job run packaging/operator.nomad.hcl
#
# A later `nomad var put` renders the files anew, and SIGHUP makes the operator take the new policy, without a
# restart; a policy that does not load is reported, and the old one goes on.
#
# With ACLs, the job's workload identity needs this (nomad acl policy apply -namespace default
# -job nomad-operator operator policy.hcl); name further namespaces for jobs that live there:
#
#   namespace "default" {
#     capabilities = ["list-jobs", "read-job", "submit-job", "parse-job"]
#   }

variable "command" {
  description = "Where the program is on the client"
  type        = string
  default     = "/usr/local/bin/nomad-operator"
}

variable "datacenters" {
  type    = list(string)
  default = ["*"]
}

variable "log_level" {
  type    = string
  default = "info"
}

job "nomad-operator" {
  datacenters = var.datacenters

  group "operator" {
    # Two operators do no harm, but all work would be done twice: an update stops the old one first.
    count = 1

    network {
      port "admin" {}
    }

    # Not ready is not a reason to restart it: it says why on /ready, and comes back by itself.
    service {
      name     = "nomad-operator"
      port     = "admin"
      provider = "nomad"

      check {
        type     = "http"
        path     = "/ready"
        interval = "10s"
        timeout  = "5s"
      }
    }

    task "operator" {
      driver = "raw_exec"

      config {
        command = var.command
        args = [
          "run", "-log-level=${var.log_level}", "-http-addr=${NOMAD_ADDR_admin}",
          "${NOMAD_TASK_DIR}/scripts",
        ]
      }

      # With Docker instead (the image's entry point is the program):
      #   driver = "docker"
      #   config {
      #     image = "nomad-operator:latest"
      #     ports = ["admin"]
      #     args  = ["run", "-http-addr=:${NOMAD_PORT_admin}", "/local/scripts"]
      #   }

      # The agent's own API, through the socket that Nomad puts into every task; or name a server:
      #   NOMAD_ADDR = "https://nomad.service.consul:4646"
      env {
        NOMAD_ADDR       = "unix://${NOMAD_SECRETS_DIR}/api.sock"
        NOMAD_TOKEN_FILE = "${NOMAD_SECRETS_DIR}/nomad_token"
      }

      # The token: the task's workload identity. It lives as long as the allocation.
      identity {
        file = true
      }

      # With Vault's Nomad secrets engine instead; SIGHUP makes the operator read the renewed token:
      #   vault {}
      #   template {
      #     destination   = "${NOMAD_SECRETS_DIR}/nomad_token"
      #     data          = "{{ with secret \"nomad/creds/nomad-operator\" }}{{ .Data.secret_id }}{{ end }}"
      #     change_mode   = "signal"
      #     change_signal = "SIGHUP"
      #   }

      template {
        destination   = "${NOMAD_TASK_DIR}/scripts/backup.lua"
        data          = "{{ with nomadVar \"nomad/jobs/nomad-operator\" }}{{ .policy }}{{ end }}"
        change_mode   = "signal"
        change_signal = "SIGHUP"
      }

      template {
        destination   = "${NOMAD_TASK_DIR}/scripts/backup.nomad.hcl"
        data          = "{{ with nomadVar \"nomad/jobs/nomad-operator\" }}{{ .template }}{{ end }}"
        change_mode   = "signal"
        change_signal = "SIGHUP"
      }

      # Longer than the operator's own -drain-timeout (4 s), so that writes in flight are finished.
      kill_timeout = "10s"

      resources {
        cpu    = 100
        memory = 128
      }
    }
  }
}

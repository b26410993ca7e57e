"""python: a backup operator as one writes it with the standard library in an afternoon."""

import http.client
import json
import os
import urllib.parse

ADDRESS = urllib.parse.urlparse(os.environ.get("NOMAD_ADDR", "http://127.0.0.1:4646")).netloc
SCRIPT = ('set -eu\necho "Backing up database $TARGET_DB of job $SOURCE_JOB_ID '
          'in namespace $SOURCE_NS"\n')
calls = http.client.HTTPConnection(ADDRESS)
made = set()


def call(method, path, body=None):
    calls.request(method, path, json.dumps(body) if body else None)
    answer = calls.getresponse()
    text = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{method} {path}: {answer.status} {text}")


def backup(job):
    meta = job["Meta"]
    env = {"SOURCE_JOB_ID": job["ID"], "SOURCE_NS": job["Namespace"],
           "TARGET_DB": meta.get("backup-target-db", job["ID"])}
    task = {"Name": "backup", "Driver": "raw_exec", "Env": env,
            "Config": {"command": "/bin/sh", "args": ["-c", SCRIPT]},
            "Resources": {"CPU": 100, "MemoryMB": 64}}
    return {"ID": "backup-" + job["ID"], "Name": "backup-" + job["ID"], "Type": "batch",
            "Namespace": job["Namespace"], "Datacenters": job["Datacenters"],
            "Periodic": {"Enabled": True, "Spec": meta.get("backup-schedule", "@daily"),
                         "SpecType": "cron", "ProhibitOverlap": True},
            "TaskGroups": [{"Name": "backup", "Tasks": [task]}]}


def handle(event):
    if event["Topic"] != "Job" or event["Type"] not in ("JobRegistered", "JobDeregistered"):
        return
    job = event["Payload"]["Job"]
    gone = job["Stop"] or event["Type"] == "JobDeregistered"
    if job["ParentID"]:
        return
    if not gone and (job["Meta"] or {}).get("auto-backup") == "true":
        call("POST", "/v1/jobs", {"Job": backup(job)})
        made.add(job["ID"])
    elif job["ID"] in made:
        call("DELETE", "/v1/job/backup-" + urllib.parse.quote(job["ID"], safe=""))
        made.discard(job["ID"])


stream = http.client.HTTPConnection(ADDRESS)
stream.request("GET", "/v1/event/stream?topic=Job&namespace=*")
for line in stream.getresponse():
    for event in json.loads(line).get("Events") or ():
        handle(event)

--- parsed: what Nomad's /v1/jobs/parse answers for the templates of this repository, by the digest of the
--- text that is sent. Made by tools/parse_fixture.lua; the live specs compare it with the oldest and the newest Nomad.

return {
  -- scripts/backup.nomad.hcl
  ["d4aac60549a1cad1"] = [[
{
 "Datacenters": [
  "dc1"
 ],
 "Dispatched": false,
 "ID": "nop0001x",
 "Name": "nop0001x",
 "Namespace": "nop0002x",
 "Periodic": {
  "ProhibitOverlap": true,
  "Spec": "nop0003x",
  "SpecType": "cron"
 },
 "TaskGroups": [
  {
   "Name": "backup",
   "Tasks": [
    {
     "Config": {
      "args": [
       "-c",
       "set -eu\necho \"Backing up database $TARGET_DB of job $SOURCE_JOB_ID in namespace $SOURCE_NS\"\n"
      ],
      "command": "/bin/sh"
     },
     "Driver": "raw_exec",
     "Env": {
      "SOURCE_JOB_ID": "nop0004x",
      "SOURCE_NS": "nop0005x",
      "TARGET_DB": "nop0006x"
     },
     "KillSignal": "",
     "Kind": "",
     "Leader": false,
     "Name": "backup",
     "Resources": {
      "CPU": 100,
      "MemoryMB": 64
     },
     "ShutdownDelay": 0,
     "User": ""
    }
   ]
  }
 ],
 "Type": "batch"
}
]],
}

-- What the verdict on real servers is worth: it hears what the operator is told, and what it writes then.
local exchange = require "chaos.exchange"
local json = require "host.json"
local policies = require "chaos.policies"
local samples = require "support.jobs"
local wire = require "chaos.wire"

local MARKS = {
  ["operator-instance"] = "default",
  ["operator-policy"] = "backup",
  ["operator-owner"] = "default/web",
  ["operator-self"] = "default/backup-web",
}

local function answer_text(status, index, body)
  local head = "HTTP/1.1 %d X\r\nX-Nomad-Index: %d\r\nContent-Length: %d\r\n\r\n%s"
  return head:format(status, index, #body, body)
end

describe("the wire", function()
  local watch, heard, now

  local WANTED = { ["auto-backup"] = "true" }

  before_each(function()
    now = 100
    watch = wire.new(function()
      return now
    end)
    watch:load(policies.first())
    heard = exchange.new {
      request = function(request)
        watch:request(request)
      end,
      answer = function(request, answer)
        watch:answer(request, answer)
      end,
      line = function(request, text)
        watch:line(request, text)
      end,
    }
  end)

  local function web(index, meta)
    local job = samples.service("web", { Meta = meta })
    job.Namespace, job.JobModifyIndex, job.ParentID = "default", index, ""
    return job
  end

  local function ask()
    heard:from_client "GET /v1/job/web?namespace=default HTTP/1.1\r\nHost: x\r\n\r\n"
  end

  local function told(status, index, body)
    for byte in answer_text(status, index, body):gmatch "." do
      heard:from_server(byte)
    end
  end

  local function told_job(index, meta)
    told(200, index, json.encode(web(index, meta)))
  end

  local function stop()
    local job = samples.batch("backup-web", { Meta = MARKS })
    job.Namespace, job.Stop = "default", true
    local body = json.encode { Job = job, EnforceIndex = true, JobModifyIndex = 5 }
    heard:from_client(
      ("POST /v1/jobs?namespace=default HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s"):format(
        #body,
        body
      )
    )
  end

  local function wrong()
    return table.concat(watch:verdict(), "; ")
  end

  it("lets a child go whose owner is gone, as the operator was told", function()
    ask()
    told_job(7, WANTED)
    now = now + 60
    ask()
    told(404, 9, "job not found")
    stop()
    assert.same({ "", 1 }, { wrong(), watch.stops })
  end)

  -- What the event stream says of the owner.
  local function streamed(index, meta)
    local event = { Topic = "Job", Payload = { Job = web(index, meta) } }
    local line = json.encode { Index = index, Events = json.array { event } } .. "\n"
    heard:from_client "GET /v1/event/stream?topic=Job HTTP/1.1\r\n\r\n"
    heard:from_server "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{}\n\r\n"
    heard:from_server(("%x\r\n%s\r\n"):format(#line, line))
    heard:from_server "0\r\n\r\n"
  end

  it("lets a child go whose owner does not want it, as the stream says", function()
    streamed(9, { ["auto-backup"] = "no" })
    stop()
    assert.equal("", wrong())
  end)

  it("does not mind that the stream is behind", function()
    ask()
    told_job(12, { ["auto-backup"] = "no" })
    now = now + 30
    streamed(9, WANTED)
    now = now + 30
    stop()
    assert.equal("", wrong())
  end)

  it("sees a child stopped that is wanted, however short", function()
    ask()
    told_job(7, WANTED)
    stop()
    assert.truthy(
      wrong():find("told that default/web wants it (wants it at 7, 0.0 s ago)", 1, true)
    )
  end)

  it("sees a child stopped whose owner's meta is refused", function()
    ask()
    told_job(7, { ["auto-backup"] = "true", ["backup-schedule"] = "whenever" })
    stop()
    assert.truthy(wrong():find("was stopped", 1, true))
  end)

  it("sees a child stopped of whose owner nothing was read", function()
    ask()
    told(404, 9, "job not found")
    watch:began()
    stop()
    assert.truthy(wrong():find("told nothing", 1, true))
  end)

  it("sees a decision that has been overtaken, and for a moment does not mind", function()
    ask()
    told(404, 9, "job not found")
    now = now + 30
    ask()
    told_job(12, WANTED)
    now = now + 1
    stop()
    assert.equal("", wrong())
    now = now + 2
    stop()
    assert.truthy(wrong():find("wants it at 12, 3.0 s ago", 1, true))
  end)

  it("does not mind a write that Nomad refuses because somebody wrote first", function()
    ask()
    told_job(7, WANTED)
    stop()
    told(500, 8, "Enforcing job modify index 5: job exists with conflicting index")
    assert.equal("", wrong())
  end)

  it("sees that an answer older than what the operator knows was believed", function()
    ask()
    told_job(12, WANTED)
    now = now + 30
    ask()
    told(404, 9, "job not found")
    stop()
    assert.truthy(wrong():find("only an answer older than that says no", 1, true))
  end)

  it("believes older ones once a snapshot was restored, counts those of a former leader", function()
    ask()
    told_job(12, WANTED)
    watch:restored()
    now = now + 30
    ask()
    told(404, 9, "job not found")
    stop()
    assert.same({ "", 0 }, { wrong(), watch.stale })
    local job = web(20, WANTED)
    watch:look { job }
    now = now + 1
    heard:from_client "" -- the answer to the write is still to come
    told(200, 21, "{}")
    ask()
    told(404, 9, "job not found")
    assert.equal(1, watch.stale)
  end)
end)

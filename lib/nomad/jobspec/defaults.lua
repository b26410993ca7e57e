--- defaults: the policies of a group as the agent completes them: update, migrate, reschedule, restart.

local defaults = {}

local SECOND = 1000000000
local MINUTE, HOUR = 60 * SECOND, 3600 * SECOND

defaults.UPDATE = {
  Stagger = 30 * SECOND,
  MaxParallel = 1,
  HealthCheck = "checks",
  MinHealthyTime = 10 * SECOND,
  HealthyDeadline = 5 * MINUTE,
  ProgressDeadline = 10 * MINUTE,
  AutoRevert = false,
  Canary = 0,
  AutoPromote = false,
}

defaults.MIGRATE = {
  MaxParallel = 1,
  HealthCheck = "checks",
  MinHealthyTime = 10 * SECOND,
  HealthyDeadline = 5 * MINUTE,
}

--- By the type of the job; NO_RESCHEDULE for others.
defaults.RESCHEDULE = {
  service = {
    Attempts = 0,
    Interval = 0,
    Delay = 30 * SECOND,
    DelayFunction = "exponential",
    MaxDelay = HOUR,
    Unlimited = true,
  },
  batch = {
    Attempts = 1,
    Interval = 24 * HOUR,
    Delay = 5 * SECOND,
    DelayFunction = "constant",
    MaxDelay = 0,
    Unlimited = false,
  },
}

defaults.NO_RESCHEDULE = {
  Attempts = 0,
  Interval = 0,
  Delay = 0,
  DelayFunction = "",
  MaxDelay = 0,
  Unlimited = false,
}

--- For jobs that last.
defaults.RESTART_SERVICE = {
  Attempts = 2,
  Delay = 15 * SECOND,
  Interval = 30 * MINUTE,
  Mode = "fail",
  RenderTemplates = false,
}

defaults.RESTART_BATCH = {
  Attempts = 3,
  Delay = 15 * SECOND,
  Interval = 24 * HOUR,
  Mode = "fail",
  RenderTemplates = false,
}

return defaults

-- helper: what every spec runs with: `host` and `host.nomad` are those of a world, the rest is real.

package.preload["host"] = function()
  return require "operator.testing.host"
end

package.preload["host.nomad"] = function()
  return require "operator.testing.host_nomad"
end

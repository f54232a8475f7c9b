package simhost

import (
	"maps"
	"slices"

	"uswitch/cmd/internal/tools/hosttool"
)

// programs are those that can run on a simulated host.
var programs map[string]program

func init() {
	programs = map[string]program{
		"arp": hostTool(hosttool.Tool.ARP), "ifconfig": hostTool(hosttool.Tool.Ifconfig), "route": hostTool(hosttool.Tool.Route), "ip": runIP,
		"arping": runArping, "ping": runPing, "traceroute": runTraceroute,
		"curl": runCurl, "nc": runNC, "dig": runDig, "getent": runGetent, "uswitch": runUswitch,
		"cat": runCat, "echo": runEcho, "hostname": runHostname, "sleep": runSleep, "sh": runShell, "bash": runShell,
		"true": func(*call) int { return 0 }, "false": func(*call) int { return 1 },
	}
}

// Programs returns the names of the programs that can run on a simulated host, sorted. All do what the programs of these
// names do, as far as that makes sense here; sh and bash are one shell, whose commands are these programs and no others.
func Programs() []string { return slices.Sorted(maps.Keys(programs)) }

// runUswitch is this very program, as far as it is for hosts.
func runUswitch(c *call) int {
	inside := map[string]program{"ping": uswitchPing, "serve": uswitchServe}
	if len(c.args) == 0 || inside[c.args[0]] == nil {
		return c.fail(2, "on a simulated host there are uswitch ping and uswitch serve")
	}
	run := inside[c.args[0]]
	c.name, c.args = c.args[0], c.args[1:]
	return run(c)
}

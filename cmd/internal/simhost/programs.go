package simhost

import (
	"maps"
	"slices"
	"strings"

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

// Endless reports whether a command goes on until somebody ends it, as far as that can be told from its words.
func Endless(argv []string) bool {
	if len(argv) > 1 && argv[0] == "uswitch" {
		argv = argv[1:]
	}
	if len(argv) == 0 {
		return false
	}
	has := func(letters string) bool {
		for _, word := range argv[1:] {
			if len(word) > 1 && word[0] == '-' && word[1] != '-' && strings.ContainsAny(word[1:], letters) || strings.HasPrefix(word, "--count") {
				return true
			}
		}
		return false
	}
	switch argv[0] {
	case "serve":
		return true
	case "ping", "arping":
		return !has("cw")
	case "nc":
		return has("l")
	case "sleep":
		return slices.Contains(argv[1:], "infinity")
	case "sh", "bash":
		return len(argv) == 3 && slices.ContainsFunc(strings.FieldsFunc(argv[2], func(r rune) bool { return strings.ContainsRune(";&|\n", r) }),
			func(one string) bool {
				words := strings.Fields(one)
				return len(words) > 0 && (words[0] == "while" || words[0] == "until" || Endless(words))
			})
	}
	return false
}

package simhost

import (
	"math/rand/v2"
	"slices"
	"strings"

	"uswitch/cmd/internal/tools/hosttool"
	"uswitch/sim"
)

// programs are those that can run on a simulated host. All do what the programs of these names do, as far as that makes sense there; sh
// and bash are one shell, whose commands are these programs and no others.
func programs() map[string]sim.Program {
	all := map[string]sim.Program{}
	for name, run := range map[string]program{
		"arp": hostTool(hosttool.Tool.ARP), "ifconfig": hostTool(hosttool.Tool.Ifconfig), "route": hostTool(hosttool.Tool.Route), "ip": runIP,
		"arping": runArping, "ping": runPing, "traceroute": runTraceroute,
		"curl": runCurl, "nc": runNC, "dig": runDig, "getent": runGetent, "uswitch": runUswitch,
		"cat": runCat, "echo": runEcho, "hostname": runHostname, "sleep": runSleep, "sh": runShell, "bash": runShell,
		"true": func(*call) int { return 0 }, "false": func(*call) int { return 1 },
	} {
		all[name] = func(c *sim.Call) int { return run(&call{Call: c}) }
	}
	return all
}

// call is one program that runs.
type call struct {
	*sim.Call
	only family // of addresses that it wants
}

// program does what a program of some name does, and returns its exit status.
type program func(*call) int

// New makes namespaces in memory in this machine's time, which must be closed.
func New() *sim.Namespaces { return sim.NewNamespaces(sim.NewWallLoop(), rand.Uint64(), programs()) }

// NewVirtual makes namespaces in memory in virtual time, in which everything is the same in every run. They must be closed.
func NewVirtual() *sim.Namespaces { return sim.NewNamespaces(sim.NewLoop(), 0, programs()) }

// runUswitch is this very program, as far as it is for hosts.
func runUswitch(c *call) int {
	inside := map[string]program{"ping": uswitchPing, "serve": uswitchServe}
	if len(c.Args) == 0 || inside[c.Args[0]] == nil {
		return c.Fail(2, "on a simulated host there are uswitch ping and uswitch serve")
	}
	run := inside[c.Args[0]]
	c.Name, c.Args = c.Args[0], c.Args[1:]
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

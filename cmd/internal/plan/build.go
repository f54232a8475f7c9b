package plan

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"uswitch/nat/rule"
	"uswitch/switch/ipam"
)

// builder turns a file that Compose's schema has accepted into a plan.
type builder struct {
	*source
	file    map[string]any // the file itself, for what compose-go does not read: x-uswitch and ports
	project *types.Project
	opts    LoadOptions
	plan    *Plan

	defaultBridge bool // the lab has Docker's own bridge

	switches  map[string]string            // what a network's switch is called, by the key in the file
	pools     map[string]*ipam.Pool        // by switch
	owners    map[string]map[string]string // who has an address or a MAC, by switch
	published int                          // ports, so far
	claims    map[claim][]holder           // who publishes what, so far
}

func (b *builder) build() {
	b.top()
	if len(b.project.Services) == 0 && !b.defaultBridge {
		b.wrong(path{"services"}, "no services: want at least one host")
	}
	b.networks()
	b.addressUplink()
	b.hosts()
	b.fdb()
	b.checks()
	b.keepUp()
}

// checkRules tries the lab's own rules out on empty tables, where they will stand one day. It tells of the first that is wrong:
// those behind it may need what it would have made.
func (b *builder) checkRules(at path) {
	var bad *rule.Error
	switch err := rule.NewTables(rule.IPv4).Apply(b.plan.Rules); {
	case errors.As(err, &bad) && bad.Line > 0 && bad.Line <= len(b.plan.Rules):
		b.wrong(at.to(strconv.Itoa(bad.Line-1)), "%q: %s", clip(b.plan.Rules[bad.Line-1], 200), bad.Text)
	case err != nil:
		b.wrong(at, "%v", err)
	}
	for i, line := range b.plan.Rules {
		words, _ := rule.SplitLine(line) // which Apply has read
		for _, warning := range rule.Warnings(rule.IPv4, words) {
			at := at.to(strconv.Itoa(i))
			b.warn(b.line(at), "%s: %s", at, warning)
		}
	}
}

// top reads x-uswitch of the top level.
func (b *builder) top() {
	x := b.extension(b.file, nil)
	b.plan.IPForward = x.boolean("ip_forward", true)
	b.plan.AllowHost = x.boolean("allow_host", false)
	if lines := x.list("rules", "rules in iptables syntax"); lines != nil {
		b.plan.Rules = make([]string, 0, len(lines))
		for i, line := range lines {
			text, ok := line.(string)
			if !ok || strings.TrimSpace(text) == "" || strings.ContainsAny(text, "\n\x00") {
				b.wrong(x.at.to("rules", fmt.Sprint(i)), "want a line of iptables, as in -t nat -A POSTROUTING -s 11.11.11.0/24 -j MASQUERADE")
				continue
			}
			b.plan.Rules = append(b.plan.Rules, strings.TrimSpace(text))
		}
		if len(b.plan.Rules) == len(lines) {
			b.checkRules(x.at.to("rules"))
		}
	}
	b.plan.DockerRules = b.dockerRules(x)
	b.defaultBridge = x.boolean("docker0", false) || b.onDefaultBridge()
	b.plan.Uplink = b.uplink(x)
	x.get("checks") // checks and keepUp read theirs once the hosts are known
	x.boolean("keep_up", false)
	x.close()
}

// dockerRules reads which generation of Docker's rules a lab wants: docker_rules: classic, 29 - which YAML takes for a
// number - or off. It is classic if nothing is said, unless the lab has rules of its own.
func (b *builder) dockerRules(x *section) string {
	value := x.get("docker_rules")
	if value == nil {
		value = defaultDockerRules
		if b.plan.Rules != nil {
			return ""
		}
	}
	switch word := clip(fmt.Sprint(value), 40); word {
	case "off":
		return ""
	case "classic", "29":
		if b.plan.Rules != nil {
			at := x.at.to("docker_rules")
			b.warn(b.line(at), "%s: not acted on: the lab has rules of its own", at)
		}
		return word
	default:
		x.bad("docker_rules", "%q: want classic, 29 or off", word)
		return ""
	}
}

// defaultDockerRules are the rules that courses show.
const defaultDockerRules = "classic"

// keepUp decides when the lab ends: with the last command of the hosts that are not passive, or, where one of those has
// no command or there is none of them, when it is told to. The file's own keep_up is stronger.
func (b *builder) keepUp() {
	active, idle := false, false
	for _, host := range b.plan.Hosts {
		active = active || !host.Passive
		idle = idle || !host.Passive && host.Command == nil
	}
	b.plan.KeepUp = b.extension(b.file, nil).boolean("keep_up", idle || !active)
}

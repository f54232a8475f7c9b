package plan

import (
	"errors"
	"fmt"
	"slices"
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
	pools6    map[string]*ipam.Pool        // of IPv6, by switch
	owners    map[string]map[string]string // who has an address or a MAC, by switch
	published int                          // ports, so far
	claims    map[claim][]holder           // who publishes what, so far
	tunnels   int                          // so far
}

func (b *builder) build() {
	b.top()
	if len(b.project.Services) == 0 && !b.defaultBridge {
		b.wrong(path{"services"}, "no services: want at least one host")
	}
	b.networks()
	b.addressUplink()
	b.hosts()
	b.tunnelNames()
	b.fdb()
	b.checks()
	b.keepUp()
}

// checkRules tries the lab's own rules out on empty tables, where they will stand one day. It tells of the first that is wrong:
// those behind it may need what it would have made.
func (b *builder) checkRules(at path) {
	for _, family := range []rule.Family{rule.IPv4, rule.IPv6} {
		b.checkRulesOf(family, at)
	}
}

func (b *builder) checkRulesOf(family rule.Family, at path) {
	var bad *rule.Error
	switch err := rule.NewTables(family).Apply(b.plan.RulesOf(family)); {
	case errors.As(err, &bad) && bad.Line > 0 && bad.Line <= len(b.plan.Rules):
		b.wrong(at.to(strconv.Itoa(bad.Line-1)), "%q: %s", clip(b.plan.Rules[bad.Line-1], 200), bad.Text)
	case err != nil:
		b.wrong(at, "%v", err)
	}
	for i, line := range b.plan.RulesOf(family) {
		words, _ := rule.SplitLine(line) // which Apply has read
		for _, warning := range rule.Warnings(family, words) {
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
	b.plan.IptablesWords = b.iptablesWords(x)
	b.defaultBridge = x.boolean("docker0", false) || b.onDefaultBridge()
	b.plan.Uplink = b.uplink(x)
	x.get("checks") // checks and keepUp read theirs once the hosts are known
	x.boolean("keep_up", false)
	x.close()
}

// dockerRules reads which generation of Docker's rules a lab wants: docker_rules: 20.10 and 29 - which YAML takes for the numbers
// 20.1 and 29 - classic or off. It is classic if nothing is said, unless the lab has rules of its own.
func (b *builder) dockerRules(x *section) string {
	value := x.get("docker_rules")
	if value == nil {
		value = defaultDockerRules
		if b.plan.Rules != nil {
			return ""
		}
	}
	word := clip(fmt.Sprint(value), 40)
	if value == 20.1 {
		word = "20.10"
	}
	switch word {
	case "off":
		return ""
	case "20.10", "classic", "29":
		if b.plan.Rules != nil {
			at := x.at.to("docker_rules")
			b.warn(b.line(at), "%s: not acted on: the lab has rules of its own", at)
		}
		return word
	default:
		x.bad("docker_rules", "%q: want 20.10, classic, 29 or off", word)
		return ""
	}
}

// iptablesWords reads in the words of which iptables rules are listed; those of 1.8.9, the usual ones, have no name in a plan.
func (b *builder) iptablesWords(x *section) string {
	value := x.get("iptables_words")
	if value == nil {
		return ""
	}
	w, err := rule.ParseWords(clip(fmt.Sprint(value), 40))
	if err != nil {
		x.bad("iptables_words", "%v", err)
	}
	if w == rule.Words189 {
		return ""
	}
	return w.String()
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

// startOrder returns the services in the order in which they start: the file's, with everything that a service depends on
// before it. Services that belong to a profile which is not active are left out.
func (b *builder) startOrder() []string {
	var order []string
	state := make(map[string]int) // 0 not met, 1 on the way, 2 done
	var visit func(name string, way []string)
	visit = func(name string, way []string) {
		if state[name] == 2 {
			return
		}
		if state[name] == 1 {
			circle := append(slices.Clone(way[slices.Index(way, name):]), name)
			key := "depends_on"
			if len(b.keys(path{"services", name, key})) == 0 {
				key = "network_mode"
			}
			b.wrong(path{"services", name, key}, "a circle: %s", clip(strings.Join(circle, " -> "), 300))
			return
		}
		state[name] = 1
		others := b.keys(path{"services", name, "depends_on"})
		for _, other := range sortedKeys(b.project.Services[name].DependsOn) {
			if !slices.Contains(others, other) { // of a service that this one extends, or is linked to
				others = append(others, b.hostsOf(other)...)
			}
		}
		if other, ok := b.shared(name); ok {
			others = append(others, other)
		}
		for _, other := range others {
			if _, ok := b.project.Services[other]; ok {
				visit(other, append(way, name))
			}
		}
		state[name] = 2
		order = append(order, name)
	}
	for _, name := range b.keys(path{"services"}) {
		if _, ok := b.project.Services[name]; ok {
			visit(name, nil)
		} else {
			b.warn(b.line(path{"services", name}), "services.%s: left out: none of its profiles is active (COMPOSE_PROFILES)", name)
		}
	}
	return order
}

// dependencies returns what a service waits for. The one whose namespace it shares is among them.
func (b *builder) dependencies(service types.ServiceConfig, at path) []Dependency {
	var all []Dependency
	if shared, ok := b.shared(service.Name); ok {
		if _, listed := service.DependsOn[shared]; !listed {
			all = append(all, Dependency{Host: shared})
		}
	}
	for _, name := range sortedKeys(service.DependsOn) {
		at := at.to("depends_on", name)
		dependency := service.DependsOn[name]
		hosts := b.hostsOf(name)
		if len(hosts) == 0 {
			if dependency.Required && service.NetworkMode != types.ServicePrefix+name { // mode tells of that
				b.wrong(at, "no such service: %s", oneOf(sortedKeys(b.project.Services)))
			}
			continue
		}
		if dependency.Condition == types.ServiceConditionHealthy {
			b.warn(b.line(at), "%s: service_healthy is taken as service_started: a host is ready once it has been started", at)
		}
		for _, host := range hosts {
			all = append(all, Dependency{Host: host, Completed: dependency.Condition == types.ServiceConditionCompletedSuccessfully})
		}
	}
	slices.SortFunc(all, func(a, b Dependency) int { return strings.Compare(a.Host, b.Host) })
	return all
}

package plan

import (
	"math"
	"slices"
	"strconv"

	"uswitch/switch/trace"
)

// checks reads what must hold in the lab: x-uswitch.checks, a list of
//
//	{name, from, to, tcp|udp, size, df, not, reason, rule, path: [{way, at, hook, result, rule, becomes, reason}]}
//	{name, table, has, lacks}
//	{name, command, host, status, has, lacks}
func (b *builder) checks() {
	x := b.extension(b.file, nil)
	named := map[string]int{}
	for i, item := range x.list("checks", "checks") {
		before := len(b.mistakes)
		c := b.section(item, x.at.to("checks", strconv.Itoa(i)))
		check := b.check(c)
		c.close()
		if first, twice := named[check.Name]; twice && check.Name != "" {
			c.bad("name", "%s: check %d has this name already", check.Name, first)
		}
		named[check.Name] = i
		if len(b.mistakes) == before {
			b.plan.Checks = append(b.plan.Checks, check)
		}
	}
}

func (b *builder) check(c *section) Check {
	check := Check{Name: c.text("name")}
	if err := ValidateName("check", check.Name); err != nil {
		c.bad("name", "%v", err)
	}
	_, ask := c.values["from"]
	_, table := c.values["table"]
	_, command := c.values["command"]
	switch {
	case ask && !table && !command:
		check.Ask = b.askCheck(c)
	case table && !ask && !command:
		check.Table = &TableCheck{Name: c.word("table", Tables), Match: c.match(true)}
	case command && !ask && !table:
		check.Command = b.commandCheck(c)
	default:
		b.wrong(c.at, "want one of from, table and command: who asks, which table, what to run")
		c.asked = append(c.asked, "from", "table", "command")
		for key := range c.values {
			c.asked = append(c.asked, key) // one mistake is enough
		}
	}
	return check
}

func (b *builder) askCheck(c *section) *AskCheck {
	a := &AskCheck{From: c.text("from"), To: c.text("to"), Protocol: "icmp", Size: c.number("size", 0, math.MaxUint16, 0),
		DF: c.boolean("df", false), Not: c.boolean("not", false), Reason: c.reason(), Rule: c.text("rule")}
	tcp, udp := c.number("tcp", 1, math.MaxUint16, 0), c.number("udp", 1, math.MaxUint16, 0)
	switch {
	case tcp != 0 && udp != 0:
		c.bad("udp", "want tcp or udp, not both")
	case tcp != 0:
		a.Protocol, a.Port = "tcp", uint16(tcp)
	case udp != 0:
		a.Protocol, a.Port = "udp", uint16(udp)
	}
	switch {
	case a.To == "" && a.From == "outside":
		a.To = "gateway"
	case a.To == "":
		c.bad("to", "want an address, a host, gateway, or a name with a dot in it")
	}
	if a.Reason != "" && !a.Not {
		c.bad("reason", "only with not: true; what is answered has none")
	}
	if a.From != "outside" {
		b.known(c, "from", a.From)
	}
	for i, item := range c.list("path", "steps") {
		a.Path = append(a.Path, b.section(item, c.at.to("path", strconv.Itoa(i))).hop())
	}
	return a
}

// known warns of a host that the file has not: it may be added while the lab is up.
func (b *builder) known(c *section, key, host string) {
	if host == "" || b.plan.Host(host) != nil {
		return
	}
	at := c.at.to(key)
	b.warn(b.line(at), "%s: %s is no host of this file: it must be there when the check is made", at, host)
}

// hookNames are where a step can be: the switch's hooks, what its forwarding table says, and what a host does by itself.
var hookNames = func() (names []string) {
	for _, h := range trace.Hooks() {
		names = append(names, h.String())
	}
	return append(names, "flood", "local", "interface", "send", "name", "deliver", "answer")
}()

func (c *section) hop() Hop {
	h := Hop{Way: c.word("way", []string{"question", "answer"}), At: c.text("at"), Hook: c.word("hook", hookNames),
		Result: c.word("result", []string{"allow", "drop", "wait", "answer"}), Rule: c.text("rule"), Becomes: c.text("becomes"),
		Reason: c.reason()}
	c.close()
	if len(c.values) == 0 {
		c.wrong(c.at, "want at least one of way, at, hook, result, rule, becomes, reason")
	}
	return h
}

// ownReasons are those that no switch could have, because nothing ever reaches one.
var ownReasons = []string{"hairpin", "no-such-name", "not-routed", "no-address"}

// reason returns the name of a reason for which packets are dropped.
func (c *section) reason() string {
	name := c.text("reason")
	known := slices.ContainsFunc(trace.Reasons(), func(r trace.Reason) bool { return r.String() == name })
	if name != "" && !known && !slices.Contains(ownReasons, name) {
		c.bad("reason", "%q: want the name of a reason, as in policy-drop", clip(name, 40))
	}
	return name
}

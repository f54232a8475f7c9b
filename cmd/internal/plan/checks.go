package plan

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/mattn/go-shellwords"

	"uswitch/switch/trace"
)

// Check is something that must hold in a lab that is up. Exactly one of Ask, Table and Command is set.
type Check struct {
	Name    string        `json:"name"`
	Ask     *AskCheck     `json:"ask,omitempty"`
	Table   *TableCheck   `json:"table,omitempty"`
	Command *CommandCheck `json:"command,omitempty"`
}

// AskCheck is about one packet, which is not sent: whether it is answered, and how it gets there.
type AskCheck struct {
	From     string `json:"from"`           // a host, or outside
	To       string `json:"to"`             // an address, a host, gateway, or a name with a dot in it
	Protocol string `json:"protocol"`       // icmp, tcp or udp
	Port     uint16 `json:"port,omitempty"` // with tcp and udp
	Size     int    `json:"size,omitempty"` // bytes of data in a ping; 0: 56
	DF       bool   `json:"df,omitempty"`   // the ping may not be cut on the way

	Not    bool   `json:"not,omitempty"`    // it must not be answered
	Reason string `json:"reason,omitempty"` // with Not: the name of the reason, as in policy-drop
	Rule   string `json:"rule,omitempty"`   // in the text of some rule that matches on the way
	Path   []Hop  `json:"path,omitempty"`   // in this order; others may come between
}

// Hop is a step of a packet's way, as far as a check says anything about it.
type Hop struct {
	Way     string `json:"way,omitempty"`     // question or answer
	At      string `json:"at,omitempty"`      // a host, a network, gateway, uplink
	Hook    string `json:"hook,omitempty"`    // forward, postrouting, arp, deliver ...
	Result  string `json:"result,omitempty"`  // allow, drop, wait or answer
	Rule    string `json:"rule,omitempty"`    // in the text of the rule that matched
	Becomes string `json:"becomes,omitempty"` // in what a translation makes of the packet's addresses
	Reason  string `json:"reason,omitempty"`  // of a drop
}

// TableCheck is about the rows of a table, as the tool that people know prints them.
type TableCheck struct {
	Name string `json:"name"` // one of Tables
	Match
}

// CommandCheck is about a program that runs inside a host, or beside the lab.
type CommandCheck struct {
	Host   string   `json:"host,omitempty"` // empty: on this machine
	Argv   []string `json:"argv"`
	Status int      `json:"status"` // that it must end with; -1: any but 0
	Match
}

// Match is what must be found in some line of a text, and what must not. Blanks are alike, however many.
type Match struct {
	Has   []string `json:"has,omitempty"`
	Lacks []string `json:"lacks,omitempty"`
}

// Tables are those that a check can look into.
var Tables = []string{"conntrack", "drops", "fdb", "hosts", "neigh", "networks", "ports", "published", "routes", "rules"}

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

// commandCheck reads a command, and what must become of it.
func (b *builder) commandCheck(c *section) *CommandCheck {
	check := &CommandCheck{Host: c.text("host"), Match: c.match(false), Status: -1}
	b.known(c, "host", check.Host)
	if c.values["status"] == "not 0" {
		c.get("status")
	} else {
		check.Status = c.number("status", 0, math.MaxUint8, 0)
	}
	switch value := c.get("command").(type) {
	case string:
		if problem := shellSyntax(value); problem != "" {
			c.bad("command", "%s", problem)
			return check
		}
		check.Argv, _ = shellwords.Parse(value)
	case []any:
		for _, word := range value {
			check.Argv = append(check.Argv, fmt.Sprint(word))
		}
	}
	if len(check.Argv) == 0 {
		c.bad("command", "want a program with its arguments")
	}
	return check
}

// match reads has and lacks: a text each, or a list of them.
func (c *section) match(required bool) (m Match) {
	for key, into := range map[string]*[]string{"has": &m.Has, "lacks": &m.Lacks} {
		switch value := c.get(key).(type) {
		case nil:
		case []any:
			for _, item := range value {
				*into = append(*into, fmt.Sprint(item))
			}
		default:
			*into = []string{fmt.Sprint(value)}
		}
		if slices.ContainsFunc(*into, func(text string) bool { return strings.TrimSpace(text) == "" }) {
			c.bad(key, "want texts that are not empty")
		}
	}
	if required && len(m.Has)+len(m.Lacks) == 0 {
		c.wrong(c.at, "want has or lacks: what must be there, and what must not")
	}
	return m
}

// word returns one of some words, empty where the key is absent.
func (c *section) word(key string, words []string) string {
	text := c.text(key)
	if text != "" && !slices.Contains(words, text) {
		c.bad(key, "%q: want one of %s", clip(text, 40), strings.Join(words, ", "))
		return ""
	}
	return text
}

package simhost

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"uswitch/sim"
)

// errNoName is what getaddrinfo says of a name that nobody knows (EAI_NONAME).
var errNoName = errors.New("Name or service not known")

// errNoServer is what it says if no server answers (EAI_AGAIN).
var errNoServer = errors.New("Temporary failure in name resolution")

// resolve returns the IPv4 address of a name: one that is written out, one of /etc/hosts, or what a name server says.
func (c *call) resolve(name string) (netip.Addr, error) {
	if a, err := netip.ParseAddr(name); err == nil {
		if !a.Is4() {
			return a, errors.New("Address family for hostname not supported")
		}
		return a, nil
	}
	for line := range strings.Lines(c.space.hosts()) {
		words := strings.Fields(line)
		for _, known := range words[min(1, len(words)):] {
			if strings.EqualFold(known, name) {
				return netip.ParseAddr(words[0])
			}
		}
	}
	err := errNoServer
	for _, server := range c.servers() {
		a, failed := c.lookUp(server, name)
		switch {
		case failed == nil && a.IsValid():
			return a, nil
		case failed == nil || errors.Is(failed, sim.ErrNoSuchName):
			return a, errNoName
		}
	}
	return netip.Addr{}, err
}

// servers are the name servers of /etc/resolv.conf.
func (c *call) servers() (all []netip.Addr) {
	text, _ := c.space.file("/etc/resolv.conf")
	for line := range strings.Lines(text) {
		if words := strings.Fields(line); len(words) == 2 && words[0] == "nameserver" {
			if a, err := netip.ParseAddr(words[1]); err == nil && a.Is4() {
				all = append(all, a)
			}
		}
	}
	return all
}

// lookUp asks one name server for an address.
func (c *call) lookUp(server netip.Addr, name string) (netip.Addr, error) {
	return ask(c, func(done func(netip.Addr, error)) { c.space.machine.LookUp(server, name, done) })
}

// ask puts a question on the hosts' goroutine and waits for its answer, or until the program is ended.
func ask[T any](c *call, question func(done func(T, error))) (answer T, err error) {
	type result struct {
		answer T
		err    error
	}
	answered := make(chan result, 1)
	if err := c.space.owner.do(func() { question(func(a T, err error) { answered <- result{a, err} }) }); err != nil {
		return answer, err
	}
	select {
	case r := <-answered:
		return r.answer, r.err
	case <-c.ctx.Done():
		return answer, context.Cause(c.ctx)
	case <-c.space.owner.ended:
		return answer, c.space.owner.over()
	}
}

// runGetent is getent for hosts.
func runGetent(c *call) int {
	if len(c.args) < 2 || c.args[0] != "hosts" && c.args[0] != "ahostsv4" {
		return c.fail(1, "want: getent hosts NAME")
	}
	status := 0
	for _, name := range c.args[1:] {
		a, err := c.resolve(name)
		if err != nil {
			status = 2
			continue
		}
		fmt.Fprintf(c.stdout, "%-15v %s\n", a, name)
	}
	return status
}

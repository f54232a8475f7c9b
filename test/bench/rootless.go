//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"uswitch/tap"
)

// asRoot and inUserNamespace are the two that the chapters on rootless labs compare.
const (
	asRoot          = "uswitch"
	inUserNamespace = "uswitch, rootless"
)

// rootlessLabs is what a user namespace costs: what a quick run measures, over a lab of root's and one with a user namespace of its
// own. Nothing is to be worse by more than 3 %. By themselves: go run ./test/bench -only Rootless.
func rootlessLabs() []chapter {
	nat := toTheHost().cells
	for _, c := range published().cells {
		c.name = "published: " + c.name
		nat = append(nat, c)
	}
	return []chapter{
		besideRoot("Rootless, between two namespaces", betweenTwo().cells, func(p *pair, flags ...string) error { return switchLab(p, p.uswitch, flags...) }),
		besideRoot("Rootless, to and from the host", nat, func(p *pair, flags ...string) error { return natLab(1500, flags...)(p) }),
	}
}

func besideRoot(title string, cells []cell, up func(p *pair, flags ...string) error) chapter {
	c := chapter{title: title, rounds: 10, subjects: []subject{
		{name: asRoot, up: func(p *pair) error { return up(p) }},
		{name: inUserNamespace, up: func(p *pair) error {
			p.rootless = true
			return up(p, "--rootless")
		}},
	}}
	for _, one := range cells {
		if !one.quick {
			continue
		}
		g := goal{cell: one.name, subject: inUserNamespace, beside: []string{asRoot}, atLeast: 0.97}
		if one.unit == "us" {
			g.atLeast, g.atMost = 0, 1/0.97
		}
		one.quick = false // a quick run has other things to tell
		c.cells, c.goals = append(c.cells, one), append(c.goals, g)
	}
	return c
}

// netns is what a lab file says of a host that lives in a namespace of the pair's: a rootless lab makes its own.
func (p *pair) netns(ns tap.Namespace) string {
	if p.rootless {
		return ""
	}
	return "netns: " + ns.Path
}

// enterRootless has the load run in the namespaces of a rootless lab, which its second process has names for.
func (p *pair) enterRootless() error {
	second := children(p.pids[len(p.pids)-1])
	if len(second) != 1 {
		return fmt.Errorf("a rootless lab has one second process, not %d", len(second))
	}
	p.pids = append(p.pids, second...)
	names := filepath.Join(fmt.Sprintf("/proc/%d/root", second[0]), tap.DefaultDir, "inside/netns") // package rootless
	for name, ns := range map[string]*tap.Namespace{"A": &p.a, "B": &p.b} {
		if path := filepath.Join(names, name); exists(path) {
			*ns = tap.Namespace{Path: path}
		}
	}
	if p.a.Path != filepath.Join(names, "A") {
		return errors.New("the rootless lab has no namespace A at " + names)
	}
	return p.do(p.a, "sysctl -qw net.ipv4.tcp_tw_reuse=1")
}

// children are those of all threads of a process.
func children(pid int) (all []int) {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, thread := range threads {
		text, _ := os.ReadFile(thread)
		for _, word := range bytes.Fields(text) {
			var child int
			if _, err := fmt.Sscan(string(word), &child); err == nil {
				all = append(all, child)
			}
		}
	}
	slices.Sort(all)
	return all
}

//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"uswitch/tap"
)

// portsRow is a lab of so many idle hosts on one switch.
type portsRow struct {
	count     int
	up, down  time.Duration
	perPort   float64 // bytes of memory
	broadcast float64 // microseconds until the last host has it
	idle      time.Duration
}

// idleTime is how long an idle lab is watched.
const idleTime = 10 * time.Second

// ports measures labs of more and more hosts, and a look-up in a large table.
func (b *bench) ports(r *results) error {
	if !strings.Contains("many ports", b.only) {
		return nil
	}
	counts := []int{2, 64, 1024, 4096} // the kernel's bridge ends at 1,023
	if b.quick {
		counts = counts[:2]
	}
	var err error
	if r.lookup, err = goBenchmark(b.ctx, "^BenchmarkLookup$", ""); err != nil {
		return err
	}
	for _, count := range counts {
		fmt.Fprintf(os.Stderr, "many ports: %d\n", count)
		row := portsRow{count: count}
		err := b.with(subject{up: func(*pair) error { return nil }}, func(p *pair) error { return p.manyPorts(&row) })
		if b.ctx.Err() != nil {
			return b.ctx.Err()
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "  %v\n", err)
			continue
		}
		r.ports = append(r.ports, row)
	}
	first := portsRow{}
	if len(r.ports) > 0 {
		first = r.ports[0]
	}
	for i := range r.ports {
		if n := r.ports[i].count - first.count; n > 0 {
			r.ports[i].perPort = (r.ports[i].perPort - first.perPort) / float64(n)
		} else {
			r.ports[i].perPort = 0
		}
	}
	return nil
}

// manyPorts fills in a row; perPort is the memory in all for now.
func (p *pair) manyPorts(row *portsRow) error {
	name := func(i int) string { return fmt.Sprintf("b%dh%d", os.Getpid(), i) }
	var file strings.Builder
	file.WriteString("\nnetworks: {br0: {ipam: {config: [{subnet: 10.64.0.0/16}]}}}\nservices:\n")
	for i := range row.count {
		fmt.Fprintf(&file, "  %s: {networks: {br0: {}}}\n", name(i))
	}
	file.WriteString("x-uswitch: {uplink: none, keep_up: true}\n")
	start := time.Now()
	if err := p.lab(tap.Namespace{}, p.uswitch, nil, file.String()); err != nil {
		return err
	}
	row.up = time.Since(start)
	pid := p.pids[0]
	row.perPort = memory(pid)
	before := processorTime(p.pids)
	select {
	case <-time.After(idleTime):
	case <-p.ctx.Done():
		return p.ctx.Err()
	}
	row.idle = processorTime(p.pids) - before
	if err := p.broadcasts(row, name(0), name(row.count-1)); err != nil {
		return err
	}
	start = time.Now()
	p.undos[len(p.undos)-1]()
	p.undos = p.undos[:len(p.undos)-1]
	row.down = time.Since(start)
	return nil
}

// broadcasts measures how long the last host waits for a broadcast of the first one.
func (p *pair) broadcasts(row *portsRow, first, last string) error {
	from, err := p.host.Adopt(first)
	if err != nil {
		return err
	}
	to, err := p.host.Adopt(last)
	if err != nil {
		return err
	}
	const count = "20"
	hear := p.command(to, p.self, "load", "hear", strconv.Itoa(servicePort), count)
	out, err := hear.StdoutPipe()
	if err != nil {
		return err
	}
	if err := hear.Start(); err != nil {
		return err
	}
	defer func() {
		_ = hear.Process.Kill()
		_ = hear.Wait()
	}()
	if err := p.await("somebody hears", func() bool { return listens(hear.Process.Pid, "udp", servicePort) }); err != nil {
		return err
	}
	everybody := netip.AddrPortFrom(netip.MustParseAddr("10.64.255.255"), servicePort)
	if err := p.do(from, p.self+" load shout "+everybody.String()+" "+count); err != nil {
		return err
	}
	text, err := io.ReadAll(out)
	if err != nil {
		return err
	}
	var m measured
	err = json.Unmarshal(text, &m)
	row.broadcast = m.Median
	return err
}

// portsTable writes the rows.
func (r *results) portsTable(w io.Writer) {
	if len(r.ports) == 0 {
		return
	}
	fmt.Fprint(w, "\n## Many ports\n\n| hosts on one switch | time up, s | time down, s | memory of an idle port, KiB | a broadcast, us | "+
		"processor time of the idle lab in 10 s, ms |\n| ---: | ---: | ---: | ---: | ---: | ---: |\n")
	for _, p := range r.ports {
		fmt.Fprintf(w, "| %d | %s | %s | %s | %s | %d |\n", p.count, number(p.up.Seconds(), true), number(p.down.Seconds(), true),
			number(p.perPort/1024, p.perPort != 0), number(p.broadcast, true), p.idle.Milliseconds())
	}
	fmt.Fprintf(w, "\nA look-up among %d addresses takes %s ns.\n", lookupEntries, number(r.lookup, true))
}

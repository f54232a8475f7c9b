//go:build linux

package main

import (
	"bufio"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"uswitch/tap"
)

// growthRow is what a connection costs beside so many of something.
type growthRow struct {
	of          string // what there is more and more of
	subject     string
	count       int
	connections float64 // new ones, a second
	trip        float64 // microseconds: a byte there and back, on a connection that is open
	spent       float64 // microseconds of a processor for that trip; 0 of the kernel's own
	memory      float64 // bytes
}

// growing is one thing of which there is more and more, and a subject that has so many of it.
type growing struct {
	of, subject string
	counts      []int
	needs       []string
	up          func(p *pair, count int) error
}

func growths() []growing {
	return []growing{
		{"connections held", "uswitch", []int{10, 100, 1000, 10_000}, nil, (*pair).holding},
		{"rules", "uswitch", []int{10, 100, 1000, 10_000}, nil, (*pair).ruled},
		{"rules", "kernel masquerade", []int{10, 100, 1000, 10_000}, []string{"iptables-restore"}, (*pair).ruledByKernel},
		{"hosts", "uswitch", []int{10, 100, 1000}, nil, (*pair).crowded},
	}
}

// grow measures NAT to the host with more and more of what its tables hold.
func (b *bench) grow(r *results) error {
	if !strings.Contains("growth", b.only) {
		return nil
	}
	for _, g := range growths() {
		if len((subject{needs: g.needs}).missing()) > 0 {
			continue
		}
		for i, count := range g.counts {
			if b.quick && i > 1 {
				break
			}
			fmt.Fprintf(os.Stderr, "growth: %d %s, %s\n", count, g.of, g.subject)
			up := func(p *pair) error { return g.up(p, count) }
			err := b.with(subject{up: up}, func(p *pair) error {
				row, err := p.growth(g, count)
				if err == nil {
					r.growth = append(r.growth, row)
				}
				return err
			})
			if b.ctx.Err() != nil {
				return b.ctx.Err()
			}
			if err != nil {
				fmt.Fprintf(os.Stderr, "  %v\n", err)
			}
		}
	}
	return nil
}

// growth fills in a row: of each thing the median of as many measurements as there are rounds.
func (p *pair) growth(g growing, count int) (row growthRow, err error) {
	row = growthRow{of: g.of, subject: g.subject, count: count}
	if len(p.pids) > 0 {
		row.memory = memory(p.pids[0])
	}
	var connections, trips, spent []float64
	for range p.rounds {
		n, err := newConnections((*pair).forth)(p)
		if err != nil {
			return row, err
		}
		trip, err := byteRoundTrip((*pair).forth)(p)
		if err != nil {
			return row, err
		}
		connections, trips = append(connections, n), append(trips, trip)
		if each, ok := perUnit(sample{spent: p.spent}); ok {
			spent = append(spent, each)
		}
	}
	row.connections, row.trip, row.spent = median(connections), median(trips), median(spent)
	return row, nil
}

// holding is NAT with so many connections that are open and idle.
func (p *pair) holding(count int) error {
	if err := natLab(1500)(p); err != nil {
		return err
	}
	const port = servicePort + 1
	keeper := p.command(p.b, p.self, "load", "keep", strconv.Itoa(port))
	if err := p.startBehind(keeper, false); err != nil {
		return err
	}
	subject := p.pids[:1]
	if err := p.await("somebody accepts", func() bool { return listens(keeper.Process.Pid, "tcp", port) }); err != nil {
		return err
	}
	holder := p.command(p.a, p.self, "load", "hold", netip.AddrPortFrom(p.target, port).String(), strconv.Itoa(count))
	stays, err := holder.StdinPipe()
	if err != nil {
		return err
	}
	said, says := io.Pipe()
	holder.Stdout, holder.Stderr = says, says
	if err := p.startBehind(holder, false); err != nil {
		return err
	}
	p.undo(func() { _ = stays.Close() })
	p.pids = subject
	line, err := bufio.NewReader(said).ReadString('\n')
	go func() { _, _ = io.Copy(io.Discard, said) }()
	if err == nil && line != heldAll {
		err = fmt.Errorf("load hold: %s", strings.TrimSpace(line))
	}
	return err
}

// rules are rules in front of all others of a chain, of which none fits.
func rules(chain string, count int) string {
	var text strings.Builder
	text.WriteString("*filter\n")
	for i := range count {
		fmt.Fprintf(&text, "-I %s -s 192.0.2.%d/32 -p tcp --dport %d -j DROP\n", chain, 1+i%254, 1+i%65535)
	}
	text.WriteString("COMMIT\n")
	return text.String()
}

// ruled is NAT whose packets pass so many rules, each of them all.
func (p *pair) ruled(count int) error {
	if err := natLab(1500)(p); err != nil {
		return err
	}
	return p.restore(p.b, rules("FORWARD", count), p.uswitch, "iptables-restore", "--lab", fmt.Sprintf("bench%d", os.Getpid()), "--noflush")
}

// ruledByKernel is the same in the kernel, where what is for this machine passes INPUT.
func (p *pair) ruledByKernel(count int) error {
	if err := masquerade(p); err != nil {
		return err
	}
	return p.restore(p.b, rules("INPUT", count), "iptables-restore", "--noflush")
}

// restore hands rules to a program.
func (p *pair) restore(ns tap.Namespace, text string, argv ...string) error {
	cmd := p.command(ns, argv...)
	cmd.Stdin = strings.NewReader(text)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", filepath.Base(argv[0]), err, strings.TrimSpace(string(out)))
	}
	return nil
}

// crowded is NAT for one of so many hosts.
func (p *pair) crowded(count int) error {
	var others strings.Builder
	for i := range count - 1 {
		fmt.Fprintf(&others, "  b%dh%d: {networks: {br0: {}}}\n", os.Getpid(), i)
	}
	return natLabWith(1500, netip.PrefixFrom(inside.Addr(), 16).Masked(), others.String())(p)
}

// growthTable writes the rows.
func (r *results) growthTable(w io.Writer) {
	if len(r.growth) == 0 {
		return
	}
	fmt.Fprint(w, "\n## Growth\n\nNAT to the host. Each packet passes every rule, of which none fits; a host brings one of its own, "+
		"as with Docker 28 (-t raw -A PREROUTING -d HOST ! -i br0 -j DROP).\n\n| of | | how many | new connections, 1/s | "+
		"a byte there and back, us | processor time of that, us | memory, MiB |\n| --- | --- | ---: | ---: | ---: | ---: | ---: |\n")
	for _, g := range r.growth {
		fmt.Fprintf(w, "| %s | %s | %d | %s | %s | %s | %s |\n", g.of, g.subject, g.count, number(g.connections, true), number(g.trip, true),
			number(g.spent, g.spent > 0), number(g.memory/(1<<20), g.memory > 0))
	}
}

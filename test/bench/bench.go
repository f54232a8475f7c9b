//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"uswitch/tap"
)

// bench is one run of the benchmark.
type bench struct {
	options
	ctx  context.Context // ends when somebody interrupts
	host tap.Host
	dir  string // scratch, gone at the end

	uswitch  string // the command, built from this tree
	untraced string // the same without the tracer
	self     string // this program
}

// records is where namespaces are entered, so that the next run can remove what a killed one has left.
const records = "/run/uswitch-bench"

// newBench builds what is measured and looks whether it can be.
func newBench(ctx context.Context, o options) (*bench, error) {
	b := &bench{options: o, ctx: ctx}
	var err error
	if b.host, err = tap.New(records); err != nil {
		return nil, err
	}
	if err := b.host.Check(); err != nil {
		return nil, err
	}
	if _, err := b.host.Reclaim(lab); err != nil {
		return nil, err
	}
	if !tap.Precede() {
		return nil, errors.New("bench: it may not give itself a nice value of -10, as uswitch does: it wants CAP_SYS_NICE, and none of somebody else's choice (nice)")
	}
	if b.self, err = os.Executable(); err != nil {
		return nil, err
	}
	if b.dir, err = os.MkdirTemp("", "uswitch-bench-"); err != nil {
		return nil, err
	}
	// OUT/peers is where make puts what no package has. Where it cannot be found, PATH has to do.
	peers, _ := filepath.Abs(filepath.Join(o.out, "peers"))
	_ = os.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin:/sbin:"+peers)
	b.uswitch, b.untraced = filepath.Join(b.dir, "uswitch"), filepath.Join(b.dir, "uswitch-notrace")
	err = b.build(b.uswitch, "")
	if err == nil {
		err = b.build(b.untraced, "notrace")
	}
	if err != nil {
		return nil, errors.Join(err, b.close())
	}
	return b, nil
}

// build builds the uswitch command of this tree.
func (b *bench) build(to, tags string) error {
	out, err := exec.CommandContext(b.ctx, "go", "build", "-tags", tags, "-o", to, "uswitch/cmd/uswitch").CombinedOutput()
	if err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
}

func (b *bench) close() error {
	return errors.Join(b.host.Close(), os.RemoveAll(b.dir))
}

// missing lists the programs that subjects need and that are not there, sorted.
func (b *bench) missing(all []chapter) (names []string) {
	for _, c := range all {
		for _, s := range c.subjects {
			names = append(names, s.missing()...)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// chapter measures one chapter: in each round every subject comes up once, and all cells are measured over it.
func (b *bench) chapter(c chapter, r *results) error {
	t := r.chapter(c)
	rounds := b.rounds
	if !b.quick {
		rounds = max(rounds, c.rounds)
	}
	for round := range rounds {
		for _, s := range c.subjects {
			cells := b.wanted(c, s)
			if len(cells) == 0 || len(s.missing()) > 0 {
				continue
			}
			fmt.Fprintf(os.Stderr, "%s, round %d of %d: %s\n", c.title, round+1, rounds, s.name)
			err := b.with(s, func(p *pair) error {
				for _, one := range cells {
					value, err := one.measure(p)
					if b.ctx.Err() != nil {
						return b.ctx.Err()
					}
					if err != nil { // of a peer that cannot, the others are measured all the same
						fmt.Fprintf(os.Stderr, "  %s: %v\n", one.name, err)
						continue
					}
					t.add(one, s, round, value, p.spent)
				}
				return nil
			})
			if b.ctx.Err() != nil {
				return b.ctx.Err()
			}
			if err != nil {
				fmt.Fprintf(os.Stderr, "  %s: %v\n", s.name, err)
			}
		}
	}
	return nil
}

// wanted returns the cells to measure over a subject.
func (b *bench) wanted(c chapter, s subject) (cells []cell) {
	for _, one := range c.cells {
		switch {
		case b.quick && (!one.quick || s.slow):
		case s.only != "" && !strings.HasPrefix(one.name, s.only):
		case strings.Contains(c.title+": "+one.name, b.only):
			cells = append(cells, one)
		}
	}
	return cells
}

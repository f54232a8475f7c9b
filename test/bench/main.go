package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"uswitch/tap"
)

func main() {
	rounds := flag.Int("rounds", 5, "how often each cell is measured")
	length := flag.Duration("time", 2*time.Second, "how long one measurement takes")
	only := flag.String("only", "", "measure only the cells whose name contains this")
	flag.Parse()
	if err := run(*rounds, *length, *only); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(rounds int, length time.Duration, only string) error {
	dir, err := os.MkdirTemp("", "uswitch-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	host, err := tap.New(dir)
	if err != nil {
		return err
	}
	defer host.Close()
	if err := host.Check(); err != nil {
		return err
	}

	table := newTable()
	for round := range rounds {
		for _, s := range subjects() {
			fmt.Fprintf(os.Stderr, "round %d of %d: %s\n", round+1, rounds, s.name)
			err := withPair(host, s, func(p pair) error {
				for _, c := range cells() {
					if !strings.Contains(c.name, only) {
						continue
					}
					value, err := c.measure(p, length)
					if err != nil {
						return fmt.Errorf("%s, %s: %w", s.name, c.name, err)
					}
					table.add(c, s.name, value)
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
	}
	table.print(os.Stdout, machine())
	return nil
}

//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"
)

// The main goroutine, which starts every program, keeps the main thread: a child dies with the thread that has started it
// (prctl(2): PR_SET_PDEATHSIG), and those that were in another namespace end.
func init() { runtime.LockOSThread() }

func main() {
	if len(os.Args) > 1 && os.Args[1] == "load" { // this very program in another namespace, see load.go
		os.Exit(load(os.Args[2:]))
	}
	var o options
	flag.IntVar(&o.rounds, "rounds", 5, "how often each cell is measured")
	flag.DurationVar(&o.length, "time", 2*time.Second, "how long one measurement takes")
	flag.StringVar(&o.only, "only", "", "measure only the chapters and cells whose name contains this")
	flag.StringVar(&o.out, "out", "out", "where bench.md and bench.svg go, and programs that no package has are")
	flag.BoolVar(&o.quick, "quick", false, "one short round of what matters most, in less than three minutes")
	flag.Parse()
	if o.quick {
		o.rounds, o.length = 1, time.Second
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	err := run(ctx, o)
	if ctx.Err() != nil {
		fmt.Fprintln(os.Stderr, "bench: interrupted; everything is cleaned up")
		os.Exit(130)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// options are what a person can say.
type options struct {
	rounds    int
	length    time.Duration
	only, out string
	quick     bool
}

// run measures everything, writes it down after each chapter, and leaves nothing behind.
func run(ctx context.Context, o options) (err error) {
	b, err := newBench(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	r := &results{machine: machine(), missing: b.missing(chapters())}
	for _, c := range chapters() {
		if err := b.chapter(c, r); err != nil {
			return err
		}
		if err := r.write(o.out); err != nil {
			return err
		}
	}
	if err := b.besideFloods(r); err != nil {
		return err
	}
	if err := b.ports(r); err != nil {
		return err
	}
	if err := b.grow(r); err != nil {
		return err
	}
	return r.write(o.out)
}

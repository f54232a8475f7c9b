//go:build linux

package main

import (
	"os"
	"sync"

	"uswitch/tap"
)

// cable copies frames from each card to the other: two loops of read and write, nothing else.
func cable(p *pair, offload bool) error {
	a, err := card(p, p.a, addrA, macA, offload)
	if err != nil {
		return err
	}
	p.undo(func() { _ = a.Close() })
	b, err := card(p, p.b, addrB, macB, offload)
	if err != nil {
		return err
	}
	p.undo(func() { _ = b.Close() })
	var copies sync.WaitGroup
	for _, way := range [][2]tap.Device{{a, b}, {b, a}} {
		copies.Go(func() {
			for {
				f, err := way[0].Read()
				if err != nil {
					return
				}
				_ = way[1].Write(f) // a full queue loses the frame, as a cable would
			}
		})
	}
	p.target, p.pids = addrB.Addr(), []int{os.Getpid()}
	p.undo(func() {
		_, _ = a.Close(), b.Close()
		copies.Wait()
	})
	return p.reachable(p.forth())
}

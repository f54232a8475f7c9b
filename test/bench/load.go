//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"time"
)

// load is the part of this program that runs inside a namespace: what no tool of the distribution measures.
//
//	load serve ADDR:PORT                  echoes one byte at a time on every connection
//	load reach ADDR:PORT                  returns when a connection could be made
//	load connections ADDR:PORT SECONDS    16 workers: connect, a byte there and back, close
//	load bytes ADDR:PORT SECONDS          a byte there and back, over and over, on one connection
//	load keep PORT                        accepts connections, and does no more
//	load hold ADDR:PORT COUNT             opens that many, says so, and keeps them until its input ends
//	load hear PORT COUNT                  receives that many broadcasts and tells how old each was
//	load shout ADDR:PORT COUNT            sends them
//	load flood KIND MAC ADDR TO VIA       sends frames without end, see flooding.go
//
// Sockets block, each on a thread of its own, so that Go's poller has no part in what is measured.
func load(args []string) (status int) {
	result, err := runLoad(args)
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(result)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench load:", err)
		return 1
	}
	return 0
}

// measured is what a load tells.
type measured struct {
	Count  int     `json:"count"`  // of transactions
	Failed int     `json:"failed"` // of connections
	Rate   float64 `json:"rate"`   // a second
	Median float64 `json:"median"` // microseconds
}

func runLoad(args []string) (m measured, err error) {
	number := func(i int) (n int) {
		if err == nil && len(args) > i {
			n, err = strconv.Atoi(args[i])
		}
		return n
	}
	at := netip.AddrPort{}
	if len(args) < 2 {
		return m, fmt.Errorf("want an action and its arguments")
	}
	runtime.LockOSThread()
	switch args[0] {
	case "flood":
		return m, flooding(args[1:])
	case "keep":
		return m, keep(number(1))
	case "hear":
		return hear(number(1), number(2))
	}
	if at, err = netip.ParseAddrPort(args[1]); err != nil {
		return m, err
	}
	switch args[0] {
	case "serve":
		return m, serve(at)
	case "reach":
		return m, reach(at)
	case "connections":
		return connections(at, time.Duration(number(2))*time.Second)
	case "bytes":
		return oneByte(at, time.Duration(number(2))*time.Second)
	case "hold":
		return m, hold(at, number(2))
	case "shout":
		return m, shout(at, number(2))
	}
	return m, fmt.Errorf("no such action: %s", args[0])
}

// underLoad runs a load over a route and returns what it tells.
func (p *pair) underLoad(r route, action string) (m measured, err error) {
	everywhere := netip.IPv4Unspecified()
	if r.target.Addr().Is6() {
		everywhere = netip.IPv6Unspecified()
	}
	out, err := p.between(r, "tcp", []string{p.self, "load", "serve", netip.AddrPortFrom(everywhere, r.listen).String()},
		[]string{p.self, "load", action, r.target.String(), strconv.Itoa(max(int(p.length.Seconds()), 1))})
	if err == nil {
		err = json.Unmarshal([]byte(out), &m)
	}
	p.spent.units = float64(m.Count)
	return m, err
}

// newConnections measures connections a second.
func newConnections(way func(*pair) route) func(*pair) (float64, error) {
	return func(p *pair) (float64, error) {
		m, err := p.underLoad(way(p), "connections")
		if err == nil && m.Failed > m.Count/100 {
			err = fmt.Errorf("%d of %d connections failed", m.Failed, m.Failed+m.Count)
		}
		return m.Rate, err
	}
}

// byteRoundTrip measures the round trip of one byte over TCP, in microseconds.
func byteRoundTrip(way func(*pair) route) func(*pair) (float64, error) {
	return func(p *pair) (float64, error) {
		m, err := p.underLoad(way(p), "bytes")
		return m.Median, err
	}
}

// reachable waits until a subject carries connections.
func (p *pair) reachable(r route) error {
	_, err := p.underLoad(r, "reach")
	return err
}

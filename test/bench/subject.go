package main

import (
	"errors"
	"math"
	"net/netip"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	vswitch "uswitch/switch"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
	"uswitch/tap"
)

// subject is something that carries frames between two namespaces.
type subject struct {
	name    string
	against string // the subject that its ratio is taken to
	up      func(pair) (down func(), err error)
}

// The cables: one for cards that take frames as they are on the wire, one for cards with offload, which pass frames of up
// to 64 KiB with what is left to do to them.
const (
	plainCable   = "bare cable"
	offloadCable = "bare cable, offload"
)

func subjects() []subject {
	return []subject{
		{plainCable, plainCable, func(p pair) (func(), error) { return cable(p, false) }},
		{"uswitch", plainCable, func(p pair) (func(), error) { return uswitch(p, false) }},
		{offloadCable, offloadCable, func(p pair) (func(), error) { return cable(p, true) }},
		{"uswitch, offload", offloadCable, func(p pair) (func(), error) { return uswitch(p, true) }},
		{"kernel bridge", offloadCable, kernelBridge},
	}
}

// cards puts a card into each namespace.
func cards(p pair, offload bool) (a, b tap.Device, err error) {
	open := func(ns tap.Namespace, addr netip.Prefix, mac frame.MAC) tap.Device {
		d, e := p.host.Open(ns, tap.Interface{Name: "eth0", MAC: mac, Addresses: []netip.Prefix{addr}, DisableIPv6: true, Offload: offload})
		err = errors.Join(err, e)
		return d
	}
	a, b = open(p.a, addrA, macA), open(p.b, addrB, macB)
	return a, b, err
}

// cable copies frames from each card to the other: two loops of read and write, nothing else.
func cable(p pair, offload bool) (func(), error) {
	a, b, err := cards(p, offload)
	if err != nil {
		return nil, err
	}
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
	return func() {
		_, _ = a.Close(), b.Close()
		copies.Wait()
	}, nil
}

// uswitch puts a switch between the cards, with nobody listening to its trace.
func uswitch(p pair, offload bool) (func(), error) {
	a, b, err := cards(p, offload)
	if err != nil {
		return nil, err
	}
	s := vswitch.New(vswitch.Config{Name: "br0", Tracer: new(trace.Tracer), Epoch: time.Now()})
	var ports sync.WaitGroup
	for name, card := range map[string]tap.Device{"A": a, "B": b} {
		knobs := vswitch.DefaultKnobs()
		knobs.MTU = 1500
		port, err := s.Attach(name, card, knobs)
		if err != nil {
			return nil, err
		}
		ports.Go(func() { _ = port.Run() })
	}
	return func() {
		for _, port := range s.Ports() {
			_ = s.Detach(port)
		}
		ports.Wait()
	}, nil
}

// kernelBridge is what Docker has: a bridge and two veth pairs, in the bench's own namespaces. The bridge lives in B.
func kernelBridge(p pair) (func(), error) {
	a, b := p.a.Name, p.b.Name
	for _, line := range []string{
		"ip -n " + b + " link add br0 type bridge",
		"ip -n " + b + " link set br0 up",
		"ip -n " + b + " link add eth0 type veth peer name portb",
		"ip -n " + a + " link add eth0 type veth peer name porta netns " + b,
		"ip -n " + b + " link set porta master br0 up",
		"ip -n " + b + " link set portb master br0 up",
		"ip -n " + a + " addr add " + addrA.String() + " dev eth0",
		"ip -n " + b + " addr add " + addrB.String() + " dev eth0",
		"ip -n " + a + " link set eth0 up",
		"ip -n " + b + " link set eth0 up",
	} {
		if out, err := exec.Command("sh", "-c", line).CombinedOutput(); err != nil {
			return nil, errors.New(line + ": " + strings.TrimSpace(string(out)))
		}
	}
	return func() {}, nil
}

func number(s string) float64 {
	n, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return math.NaN()
	}
	return n
}

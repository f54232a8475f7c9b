package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"time"

	"uswitch/switch/frame"
	"uswitch/tap"
)

// pair is the two namespaces, A and B, with a subject between them.
type pair struct {
	host tap.Host
	a, b tap.Namespace
}

var (
	addrA = netip.MustParsePrefix("10.99.0.1/24")
	addrB = netip.MustParsePrefix("10.99.0.2/24")
	macA  = frame.MACFromIPv4(addrA.Addr())
	macB  = frame.MACFromIPv4(addrB.Addr())
)

// withPair makes the namespaces, puts the subject between them, and takes all away again.
func withPair(host tap.Host, s subject, use func(pair) error) (err error) {
	p := pair{host: host}
	for name, ns := range map[string]*tap.Namespace{"a": &p.a, "b": &p.b} {
		*ns, err = host.Create("bench", fmt.Sprintf("usw-bench-%d-%s", os.Getpid(), name))
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, host.Release(*ns)) }()
	}
	down, err := s.up(p)
	if err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	defer down()
	return use(p)
}

// run runs a program in a namespace and returns what it prints.
func (p pair) run(ns tap.Namespace, argv ...string) (string, error) {
	cmd := exec.Command(argv[0], argv[1:]...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if _, err := p.host.Start(ns, cmd); err != nil {
		return "", err
	}
	if err := cmd.Wait(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s", strings.Join(argv, " "), err, out.String())
	}
	return out.String(), nil
}

// serve runs a server in a namespace while use runs.
func (p pair) serve(ns tap.Namespace, argv []string, use func() error) error {
	cmd := exec.Command(argv[0], argv[1:]...)
	if _, err := p.host.Start(ns, cmd); err != nil {
		return err
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	time.Sleep(300 * time.Millisecond) // neither iperf3 nor sockperf says when it listens
	return use()
}

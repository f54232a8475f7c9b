package main

import (
	"context"
	"fmt"
	"os"
	"testing"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/session"
	"uswitch/cmd/internal/teach/breakage"
	"uswitch/cmd/internal/teach/check"
)

// here is a lab whose commands this process runs itself.
type here struct{ check.Live }

func (h here) Command(ctx context.Context, host string, argv []string) (output string, status int, err error) {
	if host != "" {
		status, err = session.Exec(ctx, h.Lab, host, argv)
		return "", status, err
	}
	root := newRoot()
	root.SetArgs(argv[1:])
	if err := root.Execute(); err != nil {
		return err.Error(), 1, nil
	}
	return "", 0, nil
}

// Send sends what is predicted to be answered, or is not known: in a lab in memory that comes at once. What is predicted to be
// stopped would be waited for in vain, each time, and is believed.
func (h here) Send(ctx context.Context, asked []api.Asked) ([]*api.Sent, error) {
	all := make([]*api.Sent, len(asked))
	var some []api.Asked
	var of []int
	for i, a := range asked {
		if a.Predicted != api.No {
			some, of = append(some, a), append(of, i)
		}
	}
	if len(some) == 0 {
		return all, nil
	}
	sent, err := h.Live.Send(ctx, some)
	for i := range sent {
		all[of[i]] = sent[i]
	}
	return all, err
}

const practice = `
networks:
  front: {ipam: {config: [{subnet: 10.1.0.0/24}]}}
  back: {ipam: {config: [{subnet: 10.2.0.0/24}]}}
services:
  RED: {networks: [front]}
  BLUE: {networks: [front]}
  DB: {networks: [back], command: uswitch serve -p 80, ports: ["8080:80"]}
x-uswitch: {uplink: sim, docker_rules: off, keep_up: true}
`

// TestFiftySeeds breaks 50 things in a lab in memory, one after the other: each is noticed by what held before, and nothing is
// left of it when it is mended.
func TestFiftySeeds(t *testing.T) {
	name := fmt.Sprintf("practice-%d", os.Getpid())
	t.Setenv("USWITCH_LAB", name)
	if os.Geteuid() != 0 {
		t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	}
	p, err := plan.Parse("practice.yaml", []byte(practice), plan.LoadOptions{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	quiet, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer quiet.Close()
	in, out := os.Stdin, os.Stdout
	os.Stdin, os.Stdout = quiet, quiet
	defer func() { os.Stdin, os.Stdout = in, out }()
	_, err = session.Run(session.Options{Plan: p, Simulated: true, Trace: "off", Stdout: quiet, Stderr: quiet,
		Beside: func(ctx context.Context, up *api.Client) (int, error) {
			s := here{check.Live{Lab: up}}
			found := map[string]int{}
			for seed := range uint64(50) {
				broken, err := breakage.Break(ctx, up, s, seed)
				if err != nil {
					return 1, fmt.Errorf("seed %d: %w", seed, err)
				}
				if broken.Check(ctx, s).Count(check.Fails) == 0 {
					t.Errorf("seed %d: nobody notices %+v", seed, broken.Fault)
				}
				if err := broken.Fix(ctx, s); err != nil {
					t.Errorf("seed %d: %+v: %v", seed, broken.Fault, err)
				}
				if r := broken.Check(ctx, s); r.Status() != 0 {
					return 1, fmt.Errorf("seed %d: %+v is not mended: %+v", seed, broken.Fault, r)
				}
				found[broken.Fault.Name]++
			}
			if len(found) < 12 {
				t.Errorf("50 seeds break %d kinds of things only: %v", len(found), found)
			}
			return 0, nil
		}})
	if err != nil {
		t.Fatal(err)
	}
}

package engine

import (
	"errors"
	"math/rand/v2"
	"net/netip"
	"os/exec"
	"time"

	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/world"
	"uswitch/tap"
)

// Resting returns the engine of a lab that is not up: it shows what there would be - Docker's own networks - and knows no
// containers.
func Resting(p *plan.Plan, now func() time.Time) *Engine {
	return New(resting{p}, Options{Now: now, Random: rand.New(rand.NewPCG(0, 0))})
}

// resting is a lab that is not up.
type resting struct{ plan *plan.Plan }

var errResting = errors.New("no lab is up")

func (r resting) Plan() *plan.Plan                                       { return r.plan }
func (resting) AddNetwork(plan.Network) error                            { return errResting }
func (resting) RemoveNetwork(string) error                               { return errResting }
func (resting) AddHost(plan.Host) error                                  { return errResting }
func (resting) RemoveHost(string) error                                  { return errResting }
func (resting) Connect(string, plan.Interface) error                     { return errResting }
func (resting) Disconnect(string, string) error                          { return errResting }
func (resting) Start(string, *exec.Cmd, tap.Rights) (tap.Process, error) { return nil, errResting }
func (resting) StartHost(string) error                                   { return errResting }
func (resting) StopHost(string, time.Duration) error                     { return errResting }
func (resting) Published(string) []plan.Publish                          { return nil }
func (resting) Command(string) (pid, status int, running bool)           { return 0, 0, false }
func (resting) Sandbox(string) string                                    { return "" }
func (resting) Taken() []netip.Prefix                                    { return nil }
func (resting) Log(uint64, ...string) ([]world.LogLine, <-chan struct{}) { return nil, nil }

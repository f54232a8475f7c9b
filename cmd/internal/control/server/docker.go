package server

import (
	"context"
	"net/http"
	"net/netip"
	"os/exec"
	"strings"
	"time"

	"uswitch/cmd/internal/docker/engine"
	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/world"
	"uswitch/tap"
)

// newEngine returns the engine of a lab.
func newEngine(w *world.World) *engine.Engine {
	return engine.New(dockerLab{w}, engine.Options{Now: w.Now, Random: w.Random()})
}

// docker answers the docker command itself, whose paths begin with the version that it speaks: DOCKER_HOST=unix://SOCKET.
func (s *Server) docker(next http.Handler) http.Handler {
	engine := s.engine.Handler()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		version, _, ok := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		switch {
		case strings.HasPrefix(version, "v1.") && ok:
			http.StripPrefix("/"+version, engine).ServeHTTP(w, r)
		case r.URL.Path == "/_ping":
			engine.ServeHTTP(w, r)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// dockerLab is a world as an engine needs it.
type dockerLab struct{ world *world.World }

func (l dockerLab) Simulated() bool { return l.world.Simulated() }

func (l dockerLab) Plan() *plan.Plan      { return l.world.Plan() }
func (l dockerLab) Taken() []netip.Prefix { return l.world.Taken() }

func (l dockerLab) AddNetwork(n plan.Network) error {
	return l.world.AddNetwork(context.Background(), n)
}

func (l dockerLab) RemoveNetwork(name string) error { return l.world.RemoveNetwork(name) }

func (l dockerLab) AddHost(h plan.Host) error { return l.world.AddHost(context.Background(), h) }

func (l dockerLab) RemoveHost(name string) error { return l.world.RemoveHost(name) }

func (l dockerLab) Connect(host string, i plan.Interface) error {
	return l.world.Connect(context.Background(), host, i)
}

func (l dockerLab) Disconnect(host, network string) error { return l.world.Disconnect(host, network) }

func (l dockerLab) Start(host string, cmd *exec.Cmd, r tap.Rights, attended bool) (tap.Process, error) {
	clock := l.world.Clock()
	release := clock.Hold()
	defer release()
	process, err := l.world.StartIn(host, cmd, r)
	if err != nil || !attended {
		return process, err
	}
	return attend(l.world, process, true), nil
}

func (l dockerLab) Log(after uint64, hosts ...string) ([]world.LogLine, <-chan struct{}) {
	return l.world.Log(after, hosts...)
}

func (l dockerLab) StartHost(host string) error { return l.world.StartHost(host) }

func (l dockerLab) StopHost(host string, patience time.Duration) error {
	_, err := l.world.StopHost(host, patience)
	return err
}

// Published leaves the address of a port as it was asked for: where that is every address, Docker says 0.0.0.0.
func (l dockerLab) Published(host string) (all []plan.Publish) {
	for _, p := range l.world.Published() {
		if p.Host == host {
			all = append(all, p.Publish)
		}
	}
	return all
}

func (l dockerLab) Command(host string) (pid, status int, running bool) {
	h := l.world.Host(host)
	if h == nil {
		return 0, 0, false
	}
	state, pid, status := h.Service()
	return pid, status, state == world.Running
}

func (l dockerLab) Processes(host string) ([]int, error) { return l.world.Processes(host) }

// Traffic is counted at the switches' ports, where what a host sends is received.
func (l dockerLab) Traffic(host string) map[string]engine.Traffic {
	h := l.world.Host(host)
	if h == nil {
		return nil
	}
	all := map[string]engine.Traffic{}
	for _, c := range l.world.Home(h).NICs {
		n := c.Port.Counters()
		all[c.Plan.Name] = engine.Traffic{Received: n.TxBytes, Sent: n.RxBytes}
	}
	return all
}

func (l dockerLab) Sandbox(host string) string {
	if h := l.world.Host(host); h != nil {
		return h.Namespace.Path
	}
	return ""
}

package session

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"time"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/control/server"
	"uswitch/cmd/internal/docker/engine"
	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/simhost"
	"uswitch/cmd/internal/world"
)

// Resting answers what can be asked of a lab that is not up, as it would be when it has just come up: it is built in memory,
// and nothing of it is on this machine. end throws it away.
func Resting(ctx context.Context, p *plan.Plan) (c *api.Client, end func(), err error) {
	host := simhost.NewVirtual()
	w, err := world.New(p, world.Options{Host: host, Taken: routes})
	if err == nil {
		err = w.Up(ctx)
	}
	if err != nil {
		host.Close()
		return nil, nil, err
	}
	return server.Resting(w, Version()), func() { _ = w.Down(); host.Close() }, nil
}

// RestingEngine answers what can be asked of the engine of a lab that is not up: there are Docker's own networks, and no
// containers.
func RestingEngine(lab string, o plan.LoadOptions) (*api.Client, error) {
	p, err := Load(lab, o, io.Discard)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle(api.DockerPath+"/", http.StripPrefix(api.DockerPath, engine.Resting(p, time.Now).Handler()))
	mux.HandleFunc("GET /v1/lab", func(w http.ResponseWriter, _ *http.Request) { // ages are told by the lab's time
		_ = json.NewEncoder(w).Encode(api.Lab{API: api.Version, Version: Version(), Name: p.Name, Now: time.Now()})
	})
	return api.InProcess(mux, p.Name), nil
}

// stays reports whether a lab goes on until somebody ends it: it is to, or a host that counts has no command that could end.
func stays(p *plan.Plan) bool {
	counts := false
	for i := range p.Hosts {
		if h := &p.Hosts[i]; !h.Passive {
			if counts = true; len(h.Command) == 0 {
				return true
			}
		}
	}
	return p.KeepUp || !counts
}

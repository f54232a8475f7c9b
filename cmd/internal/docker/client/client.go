package client

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/docker/types"
)

// Client speaks to the engine of one lab.
type Client struct{ lab *api.Client }

// New returns a client for the engine of a lab.
func New(lab *api.Client) *Client { return &Client{lab} }

// Lab returns the control socket's client.
func (c *Client) Lab() *api.Client { return c.lab }

// do sends a request. What the engine refuses comes back with docker's words before its own.
func (c *Client) do(ctx context.Context, method, path string, query url.Values, body, into any) error {
	return fromDaemon(c.lab.Do(ctx, method, api.DockerPath+path, query, body, into))
}

// DaemonError is what the engine has refused.
type DaemonError struct{ Refused *api.Error }

func (e *DaemonError) Error() string { return "Error response from daemon: " + e.Refused.Message }

// NotFound reports whether the engine knows nothing of what it was asked for.
func NotFound(err error) bool {
	var e *DaemonError
	return errors.As(err, &e) && e.Refused.Code == http.StatusNotFound
}

func fromDaemon(err error) error {
	var refused *api.Error
	if errors.As(err, &refused) {
		return &DaemonError{refused}
	}
	return err
}

func escaped(path string, reference string) string {
	return fmt.Sprintf(path, url.PathEscape(reference))
}

// Containers lists containers; without all, those that run.
func (c *Client) Containers(ctx context.Context, all bool) (rows []types.Summary, err error) {
	err = c.do(ctx, http.MethodGet, "/containers/json", url.Values{"all": {strconv.FormatBool(all)}}, nil, &rows)
	return rows, err
}

// Container describes one.
func (c *Client) Container(ctx context.Context, reference string) (*types.Container, error) {
	d := &types.Container{}
	return d, c.do(ctx, http.MethodGet, escaped("/containers/%s/json", reference), nil, nil, d)
}

// Create makes a container.
func (c *Client) Create(ctx context.Context, name string, r types.CreateRequest) (*types.CreateResponse, error) {
	answer := &types.CreateResponse{}
	return answer, c.do(ctx, http.MethodPost, "/containers/create", url.Values{"name": {name}}, r, answer)
}

// Start starts a container.
func (c *Client) Start(ctx context.Context, reference string) error {
	return c.do(ctx, http.MethodPost, escaped("/containers/%s/start", reference), nil, nil, nil)
}

// Stop ends a container; patience is in seconds, negative: the usual.
func (c *Client) Stop(ctx context.Context, reference string, patience int) error {
	q := url.Values{}
	if patience >= 0 {
		q.Set("t", strconv.Itoa(patience))
	}
	return c.do(ctx, http.MethodPost, escaped("/containers/%s/stop", reference), q, nil, nil)
}

// Kill sends a signal to a container, by its name.
func (c *Client) Kill(ctx context.Context, reference, signal string) error {
	return c.do(ctx, http.MethodPost, escaped("/containers/%s/kill", reference), url.Values{"signal": {signal}}, nil, nil)
}

// Remove removes a container.
func (c *Client) Remove(ctx context.Context, reference string, force bool) error {
	return c.do(ctx, http.MethodDelete, escaped("/containers/%s", reference), url.Values{"force": {strconv.FormatBool(force)}}, nil, nil)
}

// Logs copies what a container has written.
func (c *Client) Logs(ctx context.Context, reference string, q url.Values, copy func(r io.Reader) error) error {
	answer, err := c.lab.Stream(ctx, http.MethodGet, api.DockerPath+escaped("/containers/%s/logs", reference), q, nil)
	if err != nil {
		return fromDaemon(err)
	}
	defer answer.Close()
	return copy(answer)
}

// Networks lists the networks.
func (c *Client) Networks(ctx context.Context) (rows []types.Network, err error) {
	err = c.do(ctx, http.MethodGet, "/networks", nil, nil, &rows)
	return rows, err
}

// Network describes one.
func (c *Client) Network(ctx context.Context, reference string) (*types.Network, error) {
	n := &types.Network{}
	return n, c.do(ctx, http.MethodGet, escaped("/networks/%s", reference), nil, nil, n)
}

// CreateNetwork makes a network.
func (c *Client) CreateNetwork(ctx context.Context, r types.NetworkCreateRequest) (*types.NetworkCreateResponse, error) {
	answer := &types.NetworkCreateResponse{}
	return answer, c.do(ctx, http.MethodPost, "/networks/create", nil, r, answer)
}

// RemoveNetwork removes one.
func (c *Client) RemoveNetwork(ctx context.Context, reference string) error {
	return c.do(ctx, http.MethodDelete, escaped("/networks/%s", reference), nil, nil, nil)
}

// PruneNetworks removes those on which nobody is, and names them.
func (c *Client) PruneNetworks(ctx context.Context) ([]string, error) {
	var answer types.NetworksPruneResponse
	err := c.do(ctx, http.MethodPost, "/networks/prune", nil, nil, &answer)
	return answer.NetworksDeleted, err
}

// Connect puts a container onto a network.
func (c *Client) Connect(ctx context.Context, network string, r types.NetworkConnectRequest) error {
	return c.do(ctx, http.MethodPost, escaped("/networks/%s/connect", network), nil, r, nil)
}

// Disconnect takes a container off a network.
func (c *Client) Disconnect(ctx context.Context, network string, r types.NetworkDisconnectRequest) error {
	return c.do(ctx, http.MethodPost, escaped("/networks/%s/disconnect", network), nil, r, nil)
}

// Find returns the engine that a command acts on: of the lab that is named, by the option or else by USWITCH_LAB; or of the
// lab called host, or the only one that is up. Where there is none, it is what rest returns, which knows Docker's own
// networks and no containers; up is false then.
func Find(name string, rest func(name string) (*api.Client, error)) (c *Client, up bool, err error) {
	name = cmp.Or(name, os.Getenv("USWITCH_LAB"))
	labs := api.Up()
	name = api.Called(name, labs)
	is := func(name string) func(*api.Client) bool {
		return func(c *api.Client) bool { return c.Lab() == name }
	}
	i := slices.IndexFunc(labs, is(cmp.Or(name, api.HostLab)))
	switch {
	case i >= 0:
	case name == "" && len(labs) == 1:
		i = 0
	case name == "" && len(labs) > 1:
		var names []string
		for _, l := range labs {
			names = append(names, l.Lab())
		}
		return nil, false, fmt.Errorf("several labs are up, %s: say which with --lab NAME or USWITCH_LAB", strings.Join(names, " and "))
	default:
		none, err := rest(cmp.Or(name, api.HostLab))
		if err != nil {
			return nil, false, err
		}
		return New(none), false, nil
	}
	return New(labs[i]), true, nil
}

// Begin begins the lab that was found not to be up, in the background, as `uswitch up -d host` does; say takes what that
// has to say.
func (c *Client) Begin(ctx context.Context, say io.Writer) (*Client, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	name := c.lab.Lab()
	up := exec.CommandContext(ctx, self, "up", "-d", "--name", name, api.HostLab)
	up.Stderr = say
	failed := up.Run()
	// Whoever was the first of several to begin it, it is up now.
	for _, l := range api.Up() {
		if l.Lab() == name {
			begun := New(l)
			if failed == nil {
				fmt.Fprintf(say, "uswitch: lab %s is up, in the background: uswitch down %s ends it\n", name, name)
				if i, err := begun.Info(ctx); err == nil && i.ServerVersion != "uswitch" {
					fmt.Fprintf(say, "uswitch: its rules are those of Docker %s\n", i.ServerVersion)
				}
			}
			return begun, nil
		}
	}
	if failed != nil {
		return nil, fmt.Errorf("no lab is up, and lab %s cannot be begun: %w", name, failed)
	}
	return nil, errors.New("lab " + name + " was begun, and is gone")
}

// Host returns what the lab calls a container: its name, or that of the service that it is.
func (c *Client) Host(ctx context.Context, d *types.Container) (string, error) {
	var hosts []api.Host
	if err := c.lab.Get(ctx, "/v1/hosts", nil, &hosts); err != nil {
		return "", err
	}
	name := strings.TrimPrefix(d.Name, "/")
	if !slices.ContainsFunc(hosts, func(h api.Host) bool { return h.Name == name }) {
		name = d.Config.Labels["com.docker.compose.service"]
	}
	return name, nil
}

// ExecDetached starts a program in a container and leaves it there.
func (c *Client) ExecDetached(ctx context.Context, reference string, r types.ExecConfig) error {
	var made types.ExecCreateResponse
	if err := c.do(ctx, http.MethodPost, escaped("/containers/%s/exec", reference), nil, r, &made); err != nil {
		return err
	}
	return c.do(ctx, http.MethodPost, escaped("/exec/%s/start", made.ID), nil, types.ExecStartRequest{Detach: true}, nil)
}

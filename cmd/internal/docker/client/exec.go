package client

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/docker/types"
)

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

package client

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"

	"uswitch/cmd/internal/control"
	"uswitch/cmd/internal/docker/engine/api"
)

// Host returns what the lab calls a container: its name, or that of the service that it is.
func (c *Client) Host(ctx context.Context, d *api.Container) (string, error) {
	var hosts []control.Host
	if err := c.lab.Get(ctx, "/v1/hosts", nil, &hosts); err != nil {
		return "", err
	}
	name := strings.TrimPrefix(d.Name, "/")
	if !slices.ContainsFunc(hosts, func(h control.Host) bool { return h.Name == name }) {
		name = d.Config.Labels["com.docker.compose.service"]
	}
	return name, nil
}

// ExecDetached starts a program in a host and leaves it there. Somebody has to stay with it, as its parent: another process
// of this program, with nothing to read and nothing to write.
func (c *Client) ExecDetached(host string, argv, environment []string, dir string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	stay := exec.Command(self, append([]string{"exec", "--lab", c.lab.Lab(), host, "--"}, argv...)...)
	stay.Env, stay.Dir = append(os.Environ(), environment...), dir
	stay.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := stay.Start(); err != nil {
		return err
	}
	return stay.Process.Release()
}

package client

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"uswitch/cmd/internal/docker/types"
)

// Info asks the engine what it is.
func (c *Client) Info(ctx context.Context) (*types.Info, error) {
	i := &types.Info{}
	return i, c.do(ctx, http.MethodGet, "/info", nil, nil, i)
}

// DockerInfo writes what docker info does, as far as there is something to say.
func DockerInfo(w io.Writer, i *types.Info) error {
	_, err := fmt.Fprintf(w, `Server:
 Containers: %d
  Running: %d
  Paused: %d
  Stopped: %d
 Images: %d
 Server Version: %s
 Storage Driver: %s
 Swarm: %s
 Operating System: %s
 OSType: %s
 Architecture: %s
 CPUs: %d
 Name: %s
`, i.Containers, i.ContainersRunning, i.ContainersPaused, i.ContainersStopped, i.Images, i.ServerVersion, i.Driver, i.Swarm.LocalNodeState,
		i.OperatingSystem, i.OSType, i.Architecture, i.NCPU, i.Name)
	for _, line := range i.Warnings {
		if err == nil {
			_, err = fmt.Fprintln(w, "WARNING:", line)
		}
	}
	return err
}

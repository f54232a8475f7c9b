package compose

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	compose "github.com/compose-spec/compose-go/v2/types"

	"uswitch/cmd/internal/docker/client"
	"uswitch/cmd/internal/docker/types"
)

// Compose makes, finds and ends the containers of projects.
type Compose struct {
	Docker *client.Client
	Say    io.Writer // gets a line for each thing that is done, as docker compose writes where there is no terminal
}

// UpOptions are those of docker compose up.
type UpOptions struct {
	Services      []string // and what they need; empty: all
	ForceRecreate bool     // also containers whose configuration is as it was
	RemoveOrphans bool     // of services that the project has no more
}

// Up makes what a project lacks and starts it: networks first, then services after those that they depend on. It returns its
// containers.
func (c *Compose) Up(ctx context.Context, p *compose.Project, o UpOptions) ([]types.Summary, error) {
	if len(o.Services) > 0 {
		selected, err := p.WithSelectedServices(o.Services)
		if err != nil {
			return nil, err
		}
		p = selected
	}
	if err := c.makeNetworks(ctx, p); err != nil {
		return nil, err
	}
	if err := c.orphans(ctx, p, o.RemoveOrphans); err != nil {
		return nil, err
	}
	order, err := startOrder(p)
	if err != nil {
		return nil, err
	}
	for _, name := range order {
		service := p.Services[name]
		if err := c.awaitDependencies(ctx, p, service); err != nil {
			return nil, err
		}
		if err := c.service(ctx, p, service, o.ForceRecreate); err != nil {
			return nil, err
		}
	}
	all, err := c.Containers(ctx, p.Name)
	if len(o.Services) > 0 { // what those need is not shown
		order = o.Services
	}
	return slices.DeleteFunc(all, func(s types.Summary) bool { return !slices.Contains(order, s.Labels[labelService]) }), err
}

// startOrder puts each service behind those that it needs, and else keeps the order of their names.
func startOrder(p *compose.Project) (order []string, err error) {
	state := map[string]int{} // 1: on the way, 2: done
	var visit func(name string, way []string) error
	visit = func(name string, way []string) error {
		switch state[name] {
		case 1:
			return fmt.Errorf("dependency cycle detected: %s", strings.Join(append(way, name), " -> "))
		case 2:
			return nil
		}
		state[name] = 1
		needs := p.Services[name].GetDependencies()
		slices.Sort(needs)
		for _, other := range needs {
			if _, ok := p.Services[other]; ok {
				if err := visit(other, append(way, name)); err != nil {
					return err
				}
			}
		}
		state[name] = 2
		order = append(order, name)
		return nil
	}
	for _, name := range p.ServiceNames() {
		if err := visit(name, nil); err != nil {
			return nil, err
		}
	}
	return order, nil
}

// makeNetworks makes the networks of a project that are not there. One that is external must be.
func (c *Compose) makeNetworks(ctx context.Context, p *compose.Project) error {
	there, err := c.Docker.Networks(ctx)
	if err != nil {
		return err
	}
	used := map[string]bool{}
	for _, s := range p.Services {
		for key := range s.Networks {
			used[key] = true
		}
	}
	for _, key := range p.NetworkNames() {
		n := p.Networks[key]
		if !used[key] {
			continue
		}
		i := slices.IndexFunc(there, func(other types.Network) bool { return other.Name == n.Name })
		switch {
		case bool(n.External) && i < 0:
			return fmt.Errorf("network %s declared as external, but could not be found", n.Name)
		case bool(n.External):
		case i >= 0 && there[i].Labels[labelProject] != p.Name:
			fmt.Fprintf(c.Say, "a network with name %s exists but was not created for project %q.\nSet `external: true` to use an existing network\n", n.Name, p.Name)
		case i < 0:
			made, err := c.Docker.CreateNetwork(ctx, networkRequest(p, key))
			if err != nil {
				return fmt.Errorf("failed to create network %s: %w", n.Name, err)
			}
			if made.Warning != "" {
				fmt.Fprintln(c.Say, "uswitch:", made.Warning)
			}
			c.done("Network", n.Name, "Created")
		}
	}
	return nil
}

// done says what was done.
func (c *Compose) done(kind, name, what string) { fmt.Fprintf(c.Say, " %s %s  %s\n", kind, name, what) }

// Containers returns the containers of a project, by service and number.
func (c *Compose) Containers(ctx context.Context, project string) ([]types.Summary, error) {
	rows, err := c.Docker.Containers(ctx, true)
	rows = slices.DeleteFunc(rows, func(s types.Summary) bool { return s.Labels[labelProject] != project })
	slices.SortStableFunc(rows, func(a, b types.Summary) int {
		if order := strings.Compare(a.Labels[labelService], b.Labels[labelService]); order != 0 {
			return order
		}
		return number(a) - number(b)
	})
	return rows, err
}

func number(s types.Summary) int {
	n, _ := strconv.Atoi(s.Labels[labelNumber])
	return n
}

func nameOf(s types.Summary) string { return strings.TrimPrefix(s.Names[0], "/") }

// of returns the containers of a service.
func of(rows []types.Summary, service string) (all []types.Summary) {
	for _, s := range rows {
		if s.Labels[labelService] == service {
			all = append(all, s)
		}
	}
	return all
}

// service makes as many containers of a service as there are to be, and starts them.
func (c *Compose) service(ctx context.Context, p *compose.Project, s compose.ServiceConfig, force bool) error {
	rows, err := c.Containers(ctx, p.Name)
	if err != nil {
		return err
	}
	have, scale := of(rows, s.Name), s.GetScale()
	if s.ContainerName != "" && scale > 1 {
		return fmt.Errorf("service %q: container_name %s cannot be that of %d containers", s.Name, s.ContainerName, scale)
	}
	names := func(service string) (all []string) {
		for _, s := range of(rows, service) {
			all = append(all, nameOf(s))
		}
		return all
	}
	for _, surplus := range have {
		if n := number(surplus); n > scale {
			if err := c.remove(ctx, surplus, -1); err != nil {
				return err
			}
		}
	}
	for n := 1; n <= scale; n++ {
		r := request(p, s, n, names)
		i := slices.IndexFunc(have, func(s types.Summary) bool { return number(s) == n })
		if i >= 0 && !force && have[i].Labels[labelHash] == r.Labels[labelHash] {
			if err := c.start(ctx, nameOf(have[i]), have[i].State); err != nil {
				return err
			}
			continue
		}
		what := "Created"
		if i >= 0 {
			if err := c.Docker.Stop(ctx, have[i].ID, -1); err != nil {
				return err
			}
			if err := c.Docker.Remove(ctx, have[i].ID, true); err != nil {
				return err
			}
			what = "Recreated"
		}
		name := containerName(p, s, n)
		made, err := c.Docker.Create(ctx, name, r)
		if err != nil {
			return err
		}
		for _, line := range made.Warnings {
			fmt.Fprintln(c.Say, "uswitch:", line)
		}
		c.done("Container", name, what)
		if err := c.start(ctx, name, "created"); err != nil {
			return err
		}
	}
	return nil
}

// start starts a container that does not run.
func (c *Compose) start(ctx context.Context, name, state string) error {
	if state == "running" {
		c.done("Container", name, "Running")
		return nil
	}
	if err := c.Docker.Start(ctx, name); err != nil {
		return err
	}
	c.done("Container", name, "Started")
	return nil
}

// awaitDependencies waits for those whose end a service waits for. That they have started, it knows by the order.
func (c *Compose) awaitDependencies(ctx context.Context, p *compose.Project, s compose.ServiceConfig) error {
	for _, name := range s.GetDependencies() {
		if s.DependsOn[name].Condition != compose.ServiceConditionCompletedSuccessfully {
			continue
		}
		rows, err := c.Containers(ctx, p.Name)
		if err != nil {
			return err
		}
		for _, other := range of(rows, name) {
			status, err := c.await(ctx, other.ID)
			if err == nil && status != 0 {
				err = fmt.Errorf("service %q didn't complete successfully: exit %d", name, status)
			}
			if err != nil {
				return err
			}
			c.done("Container", nameOf(other), "Exited")
		}
	}
	return nil
}

// await waits until a container's command has ended, and returns its status.
func (c *Compose) await(ctx context.Context, id string) (status int, err error) {
	for {
		container, err := c.Docker.Container(ctx, id)
		if err != nil {
			return 0, err
		}
		if !container.State.Running && container.State.Status != "created" {
			return container.State.ExitCode, nil
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// orphans tells of containers of services that the project has no more, or removes them.
func (c *Compose) orphans(ctx context.Context, p *compose.Project, remove bool) error {
	rows, err := c.Containers(ctx, p.Name)
	if err != nil {
		return err
	}
	known := append(p.ServiceNames(), p.DisabledServiceNames()...)
	rows = slices.DeleteFunc(rows, func(s types.Summary) bool { return slices.Contains(known, s.Labels[labelService]) })
	if len(rows) == 0 {
		return nil
	}
	if remove {
		return c.removeAll(ctx, rows, -1)
	}
	var names []string
	for _, s := range rows {
		names = append(names, nameOf(s))
	}
	fmt.Fprintf(c.Say, "Found orphan containers (%s) for this project. If you removed or renamed this service in your compose file, you can run this command with the --remove-orphans flag to clean it up.\n", strings.Join(names, " "))
	return nil
}

// remove ends a container and removes it.
func (c *Compose) remove(ctx context.Context, s types.Summary, patience int) error {
	if s.State == "running" {
		if err := c.Docker.Stop(ctx, s.ID, patience); err != nil && !client.NotFound(err) {
			return err
		}
		c.done("Container", nameOf(s), "Stopped")
	}
	if err := c.Docker.Remove(ctx, s.ID, true); err != nil && !client.NotFound(err) {
		return err
	}
	c.done("Container", nameOf(s), "Removed")
	return nil
}

// removeAll removes containers, those that were made last first.
func (c *Compose) removeAll(ctx context.Context, rows []types.Summary, patience int) error {
	slices.SortStableFunc(rows, func(a, b types.Summary) int { return int(b.Created - a.Created) })
	var failed []error
	for _, s := range rows {
		failed = append(failed, c.remove(ctx, s, patience))
	}
	return errors.Join(failed...)
}

// Stop ends the containers that are given; they stay.
func (c *Compose) Stop(ctx context.Context, rows []types.Summary, patience int) error {
	for _, s := range slices.Backward(rows) {
		if err := c.Docker.Stop(ctx, s.ID, patience); err != nil {
			return err
		}
		c.done("Container", nameOf(s), "Stopped")
	}
	return nil
}

// Down removes the containers and networks of a project. Orphans are those of services that it has no more.
func (c *Compose) Down(ctx context.Context, p *compose.Project, orphans bool, patience int) error {
	rows, err := c.Containers(ctx, p.Name)
	if err != nil {
		return err
	}
	known := append(p.ServiceNames(), p.DisabledServiceNames()...)
	if !orphans {
		rows = slices.DeleteFunc(rows, func(s types.Summary) bool { return !slices.Contains(known, s.Labels[labelService]) })
	}
	if err := c.removeAll(ctx, rows, patience); err != nil {
		return err
	}
	there, err := c.Docker.Networks(ctx)
	if err != nil {
		return err
	}
	for _, n := range there {
		if n.Labels[labelProject] != p.Name {
			continue
		}
		if err := c.Docker.RemoveNetwork(ctx, n.ID); err != nil {
			fmt.Fprintf(c.Say, " Network %s  Resource is still in use\n", n.Name)
			continue
		}
		c.done("Network", n.Name, "Removed")
	}
	return nil
}

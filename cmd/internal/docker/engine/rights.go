package engine

import (
	"uswitch/cmd/internal/docker/types"
	"uswitch/cmd/internal/plan"
)

// Rights are what a container's programs may do.
func Rights(c *types.Config, h *types.HostConfig) plan.Rights {
	r := plan.Rights{User: c.User, Groups: h.GroupAdd, CapAdd: h.CapAdd, CapDrop: h.CapDrop, Privileged: h.Privileged, ReadOnly: h.ReadonlyRootfs}
	for _, option := range h.SecurityOpt {
		r.SecurityOption(option) // of the others warnings tell
	}
	for _, l := range h.Ulimits {
		r.Limits = append(r.Limits, plan.Limit{Name: l.Name, Soft: l.Soft, Hard: l.Hard})
	}
	return r
}

// ExecRights are those of a program beside a container's own.
func ExecRights(c plan.Rights, x *types.ExecConfig) plan.Rights {
	if x.User != "" {
		c.User = x.User
	}
	c.Privileged = c.Privileged || x.Privileged
	return c
}

// rights are what the container's programs may do.
func (c *container) rights() plan.Rights { return Rights(&c.config, &c.hostConfig) }

// setRights enters them as the API has them.
func (c *container) setRights(r plan.Rights) {
	c.config.User = r.User
	h := &c.hostConfig
	h.GroupAdd, h.CapAdd, h.CapDrop, h.Privileged, h.ReadonlyRootfs = r.Groups, r.CapAdd, r.CapDrop, r.Privileged, r.ReadOnly
	if r.NoNewPrivileges {
		h.SecurityOpt = []string{"no-new-privileges:true"}
	}
	for _, l := range r.Limits {
		h.Ulimits = append(h.Ulimits, types.Ulimit{Name: l.Name, Hard: l.Hard, Soft: l.Soft})
	}
}

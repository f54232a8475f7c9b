package server

import (
	"errors"
	"net/http"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/world"
)

// What people build by hand.

func (s *Server) addLink(r *http.Request) (any, error) {
	var c api.LinkAdd
	if err := decode(r, &c); err != nil {
		return nil, err
	}
	if c.Kind == api.KindBridge {
		return made(s.world.AddBridge(r.Context(), c.Name, c.MAC, c.MTU))
	}
	if c.Kind != api.KindVeth || c.Peer == nil {
		return nil, kernel("Error: Unknown device type.")
	}
	return made(s.world.AddVeth(r.Context(), endOf(c.LinkEnd), endOf(*c.Peer)))
}

func endOf(e api.LinkEnd) world.End {
	return world.End{Name: e.Name, Host: e.Netns, MAC: e.MAC, MTU: e.MTU}
}

func (s *Server) setLink(r *http.Request) (any, error) {
	var c api.LinkChange
	if err := decode(r, &c); err != nil {
		return nil, err
	}
	return made(s.world.SetDevice(r.Context(), c.Dev, world.DeviceChange{Up: c.Up, Master: c.Master, Name: c.Name, MAC: c.MAC, MTU: c.MTU, Host: c.Netns, From: c.From}))
}

func (s *Server) deleteLink(r *http.Request) (any, error) {
	var c api.LinkDelete
	if err := decode(r, &c); err != nil {
		return nil, err
	}
	return made(s.world.RemoveDevice(c.Dev))
}

func (s *Server) addNamespace(r *http.Request) (any, error) {
	var c api.NamespaceChange
	if err := decode(r, &c); err != nil {
		return nil, err
	}
	return made(s.world.AddNamespace(r.Context(), c.Name))
}

func (s *Server) deleteNamespace(r *http.Request) (any, error) {
	var c api.NamespaceChange
	if err := decode(r, &c); err != nil {
		return nil, err
	}
	return made(s.world.RemoveNamespace(c.Name))
}

// made answers that something was done, or passes on what the kernel would say.
func made(err error) (any, error) {
	var said world.KernelError
	if errors.As(err, &said) {
		return nil, kernel("%s", string(said))
	}
	return done{}, err
}

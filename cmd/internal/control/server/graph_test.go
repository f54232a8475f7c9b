package server_test

import (
	"context"
	"testing"

	"uswitch/cmd/internal/control/api"
)

func TestGraphHasTheWholeLab(t *testing.T) {
	s := start(t)
	s.Start()
	var p api.Picture
	if err := s.Get(context.Background(), "/v1/graph", nil, &p); err != nil {
		t.Fatal(err)
	}
	kinds := map[string]string{}
	for _, n := range p.Nodes {
		kinds[n.ID] = n.Kind
	}
	for id, kind := range map[string]string{"host:RED": api.NodeHost, "host:BLUE": api.NodeHost, "network:br0": api.NodeNetwork, "gateway": api.NodeGateway, "outside": api.NodeOutside} {
		if kinds[id] != kind {
			t.Errorf("%s is drawn as %q, want %q", id, kinds[id], kind)
		}
	}
	if len(p.Links) != 4 || p.Links[0].Label != "11.11.11.1" {
		t.Errorf("links: %+v", p.Links)
	}
}

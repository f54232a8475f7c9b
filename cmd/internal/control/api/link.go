package api

import "uswitch/switch/frame"

// LinkEnd is a device to be made: a bridge, or one end of a cable.
type LinkEnd struct {
	Name  string    `json:"name"`
	Netns string    `json:"netns,omitempty"` // the host whose namespace it is in; empty: the machine's
	MAC   frame.MAC `json:"mac,omitzero"`
	MTU   int       `json:"mtu,omitempty"`
}

// LinkAdd makes a bridge or, with a peer, a cable.
type LinkAdd struct {
	LinkEnd
	Kind string   `json:"kind"` // KindBridge or KindVeth
	Peer *LinkEnd `json:"peer,omitempty"`
}

// LinkChange is what is to become of a device. What is absent stays as it is.
type LinkChange struct {
	Dev    string    `json:"dev"`
	From   string    `json:"from,omitempty"` // the host whose namespace it is in; empty: the machine's
	Up     *bool     `json:"up,omitempty"`
	Master *string   `json:"master,omitempty"` // empty: none
	Name   string    `json:"name,omitempty"`
	MAC    frame.MAC `json:"mac,omitzero"`
	MTU    int       `json:"mtu,omitempty"`
	Netns  *string   `json:"netns,omitempty"` // the host to whose namespace it moves; empty: the machine's
}

// LinkDelete names a device that is to go, a cable by either of its ends.
type LinkDelete struct {
	Dev string `json:"dev"`
}

// NamespaceChange names a namespace that is to be made, or to go.
type NamespaceChange struct {
	Name string `json:"name"`
}

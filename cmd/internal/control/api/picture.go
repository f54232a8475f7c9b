package api

// Picture is the answer of /v1/graph: a lab with a place for everything, in pixels from the left and from the top. The same lab has the
// same picture.
type Picture struct {
	Lab    string `json:"lab"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
	Nodes  []Node `json:"nodes"`
	Links  []Link `json:"links"`
}

// The kinds of nodes.
const (
	NodeHost    = "host"
	NodeGroup   = "group" // hosts that are alike, drawn as one
	NodeNetwork = "network"
	NodeGateway = "gateway"
	NodeOutside = "outside" // what is beyond the uplink
	NodeTunnel  = "tunnel"  // to another machine's part of a network, or a cable to another switch
)

// Node is a box of a Picture.
type Node struct {
	ID      string   `json:"id"` // host:RED, network:br0, gateway, outside
	Kind    string   `json:"kind"`
	Name    string   `json:"name"`
	Lines   []string `json:"lines,omitempty"`   // what stands below the name
	Members []string `json:"members,omitempty"` // of a group, the names of its hosts
	Colour  int      `json:"colour"`            // of a network, and of what is on it first: 0, 1, 2 ...
	X       int      `json:"x"`
	Y       int      `json:"y"`
	W       int      `json:"w"`
	H       int      `json:"h"`
	Bus     [][]XY   `json:"bus,omitempty"` // of a network, the lines that its hosts hang on
}

// The kinds of links.
const (
	LinkCable  = "cable"  // from a host's interface to the port of a switch
	LinkTrunk  = "trunk"  // from a switch to the gateway
	LinkUplink = "uplink" // from the gateway to the outside
	LinkShared = "shared" // between hosts that have one namespace
)

// Link is a line of a Picture.
type Link struct {
	ID        string `json:"id"` // RED eth0
	Kind      string `json:"kind"`
	From      string `json:"from"` // IDs of nodes
	To        string `json:"to"`
	Interface string `json:"interface,omitempty"` // of a cable, in the host
	Network   string `json:"network,omitempty"`
	Label     string `json:"label,omitempty"`
	Colour    int    `json:"colour"`
	Down      string `json:"down,omitempty"` // why nothing passes
	Path      []XY   `json:"path"`           // corners, from From to To
}

// XY is a place in a Picture.
type XY struct {
	X int `json:"x"`
	Y int `json:"y"`
}

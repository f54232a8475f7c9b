package api

import (
	"net/netip"
	"time"
)

// RawPath is where a raw socket of the gateway is opened, and what it sends is sent.
const RawPath = "/v1/raw"

// RawOpened begins the stream of a raw socket: whence its packets go, and by which number answers find it - the identifier of
// its ICMP echoes, or the port its datagrams come from.
type RawOpened struct {
	Source netip.Addr `json:"source"`
	Number uint16     `json:"number"`
}

// RawPacket is an IP packet that was sent, by a POST, or that has come for a raw socket.
type RawPacket struct {
	Time   time.Time `json:"time,omitzero"`
	Packet []byte    `json:"packet,omitempty"`
}

// RawQueue is how many packets wait for a slow client; more are lost, as on any network.
const RawQueue = 256

package api

import (
	"fmt"
	"strings"
)

// Question is one packet that somebody might send.
type Question struct {
	From         string `json:"from"`                    // a host's name, or Outsider
	To           string `json:"to"`                      // an IPv4 address, a host's name, "gateway", or a name that DNS knows
	Protocol     string `json:"protocol"`                // icmp, tcp or udp
	Port         uint16 `json:"port,omitempty"`          // with tcp and udp
	Size         int    `json:"size,omitempty"`          // bytes of data in a ping; 0: 56
	DontFragment bool   `json:"dont_fragment,omitempty"` // of a ping
}

// String returns the question as people write it: RED to 8.8.8.8, TCP port 443.
func (q Question) String() string { return q.From + " to " + q.To + ", " + q.What() }

// What names what is sent.
func (q Question) What() string {
	if q.Protocol == "icmp" {
		return "ping"
	}
	return fmt.Sprintf("%s port %d", strings.ToUpper(q.Protocol), q.Port)
}

// Object is what is to be reached.
func (q Question) Object() string {
	if q.Protocol == "icmp" {
		return q.To
	}
	return q.What() + " of " + q.To
}

// Outsider is the name of somebody outside, as the asker of a question.
const Outsider = "outside"

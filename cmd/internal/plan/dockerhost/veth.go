package dockerhost

import (
	"cmp"
	"crypto/sha256"
	"fmt"

	"uswitch/cmd/internal/plan"
	"uswitch/switch/frame"
)

// VethName names the near end of a host's cable as the lab file does, or as Docker does, veth and seven hexadecimal digits,
// and gives it a locally administered address. Both are the same in every run of a lab.
func VethName(labName, host string, card *plan.Interface) (string, frame.MAC) {
	sum := sha256.Sum256([]byte(labName + "\x00" + host + "\x00" + card.Name))
	mac := frame.MAC(sum[8:14])
	mac[0] = mac[0]&^1 | 2
	return cmp.Or(card.Veth, fmt.Sprintf("veth%x", sum[:4])[:len("veth")+7]), mac
}

package host

import (
	"crypto/sha256"
	"fmt"

	"uswitch/switch/frame"
)

// VethName names the near end of a host's cable as Docker does, veth and seven hexadecimal digits, and gives it a locally
// administered address. Both are the same in every run of a lab.
func VethName(lab, host, card string) (string, frame.MAC) {
	sum := sha256.Sum256([]byte(lab + "\x00" + host + "\x00" + card))
	mac := frame.MAC(sum[8:14])
	mac[0] = mac[0]&^1 | 2
	return fmt.Sprintf("veth%x", sum[:4])[:len("veth")+7], mac
}

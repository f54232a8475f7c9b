package view

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"uswitch/cmd/internal/control/api"
)

var insideHead = regexp.MustCompile(`^(\d+): ([^:@]+): (<[^>]*>.*)$`)

// insideLink is what stands before the number of the other end's namespace, on a line of its own or, with -o, on the same one.
var insideLink = regexp.MustCompile(`link/ether [0-9a-f:]+ brd [0-9a-f:]+`)

// PairedInside rewrites what `ip link` or `ip addr` says in a namespace of interfaces whose cables end on the machine, as the kernel says
// it of pairs: with the number of the other end, up as soon as both are, and without a queue's length where Docker made the pair.
// near returns the other end of the interface of a number.
func PairedInside(text string, near func(index int) (api.Device, bool)) string {
	lines := strings.SplitAfter(text, "\n")
	paired := false
	for n, line := range lines {
		if m := insideHead.FindStringSubmatch(strings.TrimSuffix(line, "\n")); m != nil {
			index, _ := strconv.Atoi(m[1])
			var other api.Device
			if other, paired = near(index); !paired {
				continue
			}
			rest := m[3]
			if strings.Contains(rest, "LOWER_UP") {
				rest = strings.Replace(rest, "state UNKNOWN", "state UP", 1)
			}
			rest = strings.Replace(rest, "qdisc fq_codel", "qdisc noqueue", 1)
			rest = strings.Replace(rest, "qdisc pfifo_fast", "qdisc noqueue", 1)
			if !other.ByHand {
				rest = strings.Replace(rest, " qlen 1000", " ", 1)
			}
			lines[n] = fmt.Sprintf("%d: %s@if%d: %s\n", index, m[2], other.Index, rest)
		}
		if paired {
			lines[n] = insideLink.ReplaceAllString(lines[n], "$0 link-netnsid 0")
		}
	}
	return strings.Join(lines, "")
}

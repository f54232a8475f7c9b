package plan

import "strconv"

// fdb reads the networks' static stations, now that it is known who is on which network:
//
//	fdb:
//	  - {mac: 02:42:0b:0b:0b:03, host: BLUE}
//	  - {mac: 02:42:0b:0b:0b:63, host: RED, sticky: true}
func (b *builder) fdb() {
	for i := range b.plan.Networks {
		n := &b.plan.Networks[i]
		at := path{"networks", n.Key}
		x := b.extension(mapping(b.file, at...), at)
		seen := make(map[string]bool)
		for j, item := range x.list("fdb", "mappings with mac and host") {
			entry := b.section(item, x.at.to("fdb", strconv.Itoa(j)))
			mac, ok := entry.mac("mac")
			e := FDBEntry{MAC: mac, Host: entry.text("host"), Sticky: entry.boolean("sticky", false)}
			entry.close()
			switch {
			case !ok:
				if entry.values["mac"] == nil {
					b.wrong(entry.at, "mac is missing")
				}
			case !b.attached(e.Host, n.Name):
				b.wrong(entry.at, "host %q is not on %s", clip(e.Host, 60), n.Key)
			case seen[mac.String()]:
				b.wrong(entry.at, "%v stands in this list already", mac)
			}
			seen[mac.String()] = true
			n.FDB = append(n.FDB, e)
		}
	}
}

func (b *builder) attached(host, network string) bool {
	h := b.plan.Host(host)
	if h == nil {
		return false
	}
	for _, i := range h.Interfaces {
		if i.Network == network {
			return true
		}
	}
	return false
}

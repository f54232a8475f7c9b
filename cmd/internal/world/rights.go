package world

import (
	"fmt"
	"os/user"
	"slices"
	"strconv"
	"strings"

	"uswitch/cmd/internal/plan"
	"uswitch/tap"
)

// RightsOf returns what programs with these rights may do here, and where their user is at home; empty: it is this process's
// user. Users and groups are this machine's.
func RightsOf(r plan.Rights) (rights tap.Rights, home string, err error) {
	if set, limited := r.Capabilities(); limited {
		rights.Capabilities, rights.Usual = &set, !r.TakesAway()
	}
	rights.NoNewPrivileges, rights.ReadOnly = r.NoNewPrivileges, r.ReadOnly
	for _, l := range r.Limits {
		rights.Limits = append(rights.Limits, tap.Limit{Resource: l.Resource(), Soft: uint64(l.Soft), Hard: uint64(l.Hard)}) // -1: all bits
	}
	if r.User != "" || len(r.Groups) > 0 {
		rights.User, home, err = userOf(r.User, r.Groups)
	}
	return rights, home, err
}

// userOf finds a user as Docker does (moby/sys/user, GetExecUser): a number needs not to be known, and whoever names a group is
// in no other one.
func userOf(text string, more []string) (u *tap.User, home string, err error) {
	name, group, grouped := strings.Cut(text, ":")
	if name == "" {
		name = "0"
	}
	u, home = &tap.User{}, "/"
	known, failed := user.Lookup(name)
	if failed != nil {
		known, failed = user.LookupId(name)
	}
	if failed == nil {
		home = known.HomeDir
		if u.UID, err = idNumber(known.Uid); err != nil {
			return nil, "", err
		}
		if u.GID, err = idNumber(known.Gid); err != nil {
			return nil, "", err
		}
		if !grouped {
			u.Groups = groupsOf(known, u.GID)
		}
	} else if u.UID, err = idNumber(name); err != nil {
		return nil, "", fmt.Errorf("unable to find user %s: no matching entries in passwd file", name)
	}
	if grouped {
		if u.GID, err = groupOf(group); err != nil {
			return nil, "", err
		}
	}
	for _, name := range more {
		g, err := groupOf(name)
		if err != nil {
			return nil, "", err
		}
		if !slices.Contains(u.Groups, g) {
			u.Groups = append(u.Groups, g)
		}
	}
	return u, home, nil
}

// groupsOf are the groups that a user is in besides his first one.
func groupsOf(u *user.User, first uint32) (groups []uint32) {
	ids, _ := u.GroupIds()
	for _, id := range ids {
		if g, err := idNumber(id); err == nil && g != first {
			groups = append(groups, g)
		}
	}
	return groups
}

func groupOf(name string) (uint32, error) {
	if g, err := user.LookupGroup(name); err == nil {
		return idNumber(g.Gid)
	}
	g, err := idNumber(name)
	if err != nil {
		return 0, fmt.Errorf("unable to find group %s: no matching entries in group file", name)
	}
	return g, nil
}

// idNumber reads the number of a user or a group.
func idNumber(text string) (uint32, error) {
	n, err := strconv.ParseUint(text, 10, 31)
	return uint32(n), err
}

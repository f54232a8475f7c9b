package api

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// HostLab is the lab that commands begin and, where several are up, those of a machine act on: the machine that tutorials sit on.
// OldHostLab is understood for it as long as no lab is called so, and so is the path of that one's socket.
const (
	HostLab    = "host"
	OldHostLab = "docker"
)

// called returns the name of the lab that somebody means who has said that name.
func called(name string, is func(lab string) bool) string {
	if name == OldHostLab && !is(name) {
		return HostLab
	}
	return name
}

// Called returns the name of the lab that somebody means who has said that name, where these are up.
func Called(name string, up []*Client) string {
	return called(name, func(lab string) bool { return slices.ContainsFunc(up, func(c *Client) bool { return c.lab == lab }) })
}

// LinkOldPath leads those who know the socket of lab host by its old path to the present one, unless somebody has that path. remove
// takes that back.
func LinkOldPath(dir, lab string) (remove func()) {
	if lab != HostLab {
		return func() {}
	}
	old := Path(dir, OldHostLab)
	if isLink(old) {
		_ = os.Remove(old) // of a lab that was killed
	}
	if os.Symlink(filepath.Base(Path(dir, lab)), old) != nil {
		return func() {}
	}
	return func() {
		if isLink(old) {
			_ = os.Remove(old)
		}
	}
}

// isLink reports whether a path is a link, which no lab's own socket is.
func isLink(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode()&fs.ModeSymlink != 0
}

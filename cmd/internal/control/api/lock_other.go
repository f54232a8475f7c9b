//go:build !unix

package api

import (
	"io/fs"
	"os"
)

const noFollow = 0

// tryLock always succeeds: no lab is ever up here.
func tryLock(*os.File) error { return nil }

// mine takes every file for this user's.
func mine(fs.FileInfo) bool { return true }

// writable takes every directory for one that can be written.
func writable(string) error { return nil }

package tap

// Rights are what a program may do besides what its kind of user may. The zero value is all that this process may.
type Rights struct {
	User            *User   // nil: this process's
	Capabilities    *uint64 // the only ones, by bits (capability(7)): nobody in the program gets others; nil: this process's
	NoNewPrivileges bool    // no program that it executes gets more (PR_SET_NO_NEW_PRIVS)
	ReadOnly        bool    // every file system is read-only but those below /dev and /proc
	Limits          []Limit
}

// User is whom a program runs as.
type User struct {
	UID, GID uint32
	Groups   []uint32 // besides GID
}

// Limit bounds a resource (setrlimit(2)).
type Limit struct {
	Resource   int    // RLIMIT_NOFILE and such
	Soft, Hard uint64 // ^0: unlimited
}

/* SPDX-License-Identifier: MIT */
#include "fs/layer/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/path.h"

void layer_tree_init(struct layer_tree *tree, int root_fd)
{
	tree->root_fd = root_fd;
	tree->parent_fd = -EBADF;
	tree->parent[0] = '\0';
	tree->made = (struct string_list){};
}

void layer_tree_deinit(struct layer_tree *tree)
{
	cleanup_close(&tree->parent_fd);
	tree->parent_fd = -EBADF;
	string_list_deinit(&tree->made);
}

/* Makes what is missing of the directory @path, a component after the other. */
static int parents_make(struct layer_tree *tree, char *path)
{
	_cleanup_close_ int fd = path_open_in_root(tree->root_fd, ".", O_PATH | O_DIRECTORY, 0);
	char *name = path;

	while (fd >= 0 && *name) {
		char *slash = strchrnul(name, '/'), end = *slash;
		int child_fd;

		*slash = '\0';
		child_fd = path_open_in_root(tree->root_fd, path, O_PATH | O_DIRECTORY, 0);
		/* EEXIST: a link that leads nowhere in this layer. */
		if (child_fd == -ENOENT && mkdirat(fd, name, 0755) < 0)
			return errno == EEXIST ? -ENOTDIR : -errno;
		if (child_fd == -ENOENT && string_list_add(&tree->made, path) < 0)
			return -ENOMEM;
		if (child_fd == -ENOENT)
			child_fd =
				path_open_in_root(fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
		*slash = end;
		close(fd);
		fd = child_fd;
		name = end ? slash + 1 : slash;
	}
	return take_fd(&fd);
}

int layer_path_clean(const char *path, char ret_path[PATH_MAX])
{
	size_t n = 0;

	while (*path) {
		size_t n_component = strcspn(path, "/");

		if (n_component == 2 && path[0] == '.' && path[1] == '.') {
			if (n == 0)
				return -EBADMSG;
			while (n > 0 && ret_path[n - 1] != '/')
				n--;
			n -= n > 0;
		} else if (n_component > 0 && !(n_component == 1 && path[0] == '.')) {
			if (n + 1 + n_component >= PATH_MAX)
				return -ENAMETOOLONG;
			if (n > 0)
				ret_path[n++] = '/';
			memcpy(ret_path + n, path, n_component);
			n += n_component;
		}
		path += n_component;
		path += *path == '/';
	}
	ret_path[n] = '\0';
	return 0;
}

int layer_tree_parent(struct layer_tree *tree, const char *path, bool make, const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) : 0;
	char parent[PATH_MAX];
	int fd;

	*ret_name = slash ? slash + 1 : path;
	if (tree->parent_fd >= 0 && !strncmp(tree->parent, path, n) && !tree->parent[n])
		return tree->parent_fd;
	memcpy(parent, path, n);
	parent[n] = '\0';
	fd = path_open_in_root(tree->root_fd, parent, O_PATH | O_DIRECTORY, 0);
	if (fd == -ENOENT && make)
		fd = parents_make(tree, parent);
	if (fd < 0)
		return fd;
	cleanup_close(&tree->parent_fd);
	tree->parent_fd = fd;
	memcpy(tree->parent, parent, n + 1);
	return fd;
}

int layer_tree_directory(struct layer_tree *tree, const char *path)
{
	const char *name;
	int fd;

	if (!*path)
		return path_open_in_root(tree->root_fd, ".", O_RDONLY | O_DIRECTORY, 0);
	fd = layer_tree_parent(tree, path, false, &name);
	if (fd < 0)
		return fd;
	fd = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int layer_tree_remove(struct layer_tree *tree, const char *name)
{
	return path_remove_tree(tree->parent_fd, name);
}

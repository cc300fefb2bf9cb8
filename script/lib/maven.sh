# Jars from Maven Central, with all they depend on, in the user's cache folder: fetched once for each pinned version.
#
# To be sourced; the caller defines `say` and `fail`.

# jar_folder NAME VERSION: where the jars of a server lie.
jar_folder() { printf '%s/perdure/%s-%s\n' "${XDG_CACHE_HOME:-$HOME/.cache}" "$1" "$2"; }

# fetch_jars NAME VERSION GROUP ARTIFACT: sees that they are there.
fetch_jars() {
    local name=$1 version=$2 group=$3 artifact=$4 folder
    folder=$(jar_folder "$name" "$version")
    [ -e "$folder/complete" ] && return
    command -v mvn >/dev/null 2>&1 || fail "Maven is missing; run script/bootstrap"
    say "fetching $artifact $version, once"
    local work=$folder.$$
    mkdir -p "$work"
    cat >"$work/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>perdure</groupId><artifactId>$name</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>$group</groupId><artifactId>$artifact</artifactId><version>$version</version></dependency>
  </dependencies>
</project>
POM
    (cd "$work" && mvn --batch-mode --quiet dependency:copy-dependencies -DoutputDirectory=. -DincludeScope=runtime >mvn.log 2>&1) || {
        tail -n 20 "$work/mvn.log" >&2
        rm -rf "$work"
        fail "Maven could not fetch $artifact $version; its last lines are above"
    }
    touch "$work/complete"
    rm -rf "$folder"
    mv "$work" "$folder"
}
